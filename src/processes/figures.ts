/** The sums of the metrics of all workers. */
import type { Worker } from 'node:cluster';
import prometheus from 'prom-client';
import type { Figures, ToWorker } from './messages.js';

/** A worker that is busy for so long has other troubles. */
const patienceMilliseconds = 5000;

export interface MetricsGatherer {
  /** In Prometheus' text format. Rejects where a worker lives and does not answer. */
  gather(workers: readonly Worker[]): Promise<string>;
  /** A worker has answered. */
  arrived(worker: Worker, id: number, figures: Figures): void;
  /** A worker is dead: nobody waits for it. */
  gone(worker: Worker): void;
  /** A worker died that nobody had stopped. */
  died(): void;
}

export function metricsGatherer(tell: (worker: Worker, message: ToWorker) => void): MetricsGatherer {
  const own = new prometheus.Registry();
  const deaths = new prometheus.Counter({
    name: 'xcapd_worker_deaths_total',
    help: 'Workers that died and were not stopped.',
    registers: [own],
  });
  const waiting = new Map<Worker, Map<number, (figures: Figures) => void>>();
  let lastId = 0;

  function ask(worker: Worker): Promise<Figures> {
    const id = ++lastId;
    const questions = waiting.get(worker) ?? new Map<number, (figures: Figures) => void>();
    waiting.set(worker, questions);
    return new Promise<Figures>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`worker ${String(worker.process.pid)} does not answer`)),
        patienceMilliseconds,
      );
      questions.set(id, (figures) => {
        clearTimeout(timer);
        resolve(figures);
      });
      tell(worker, { type: 'xcapd:figures', id });
    }).finally(() => questions.delete(id));
  }

  return {
    async gather(workers) {
      const figures: Figures[] = await Promise.all(workers.map(ask));
      figures.push(await own.getMetricsAsJSON());
      return prometheus.AggregatorRegistry.aggregate(figures).metrics();
    },
    arrived: (worker, id, figures) => waiting.get(worker)?.get(id)?.(figures),
    gone(worker) {
      for (const answer of waiting.get(worker)?.values() ?? []) answer([]);
      waiting.delete(worker);
    },
    died: () => deaths.inc(),
  };
}
