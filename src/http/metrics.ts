/** What the server counts, for Prometheus. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Figures that are read when Prometheus asks, by name; names that end in `_total` are counters, others gauges. */
export type Figures = Readonly<Record<string, number>>;

export interface RequestRecord {
  readonly method: string;
  /** The AUID, or '' where the request names no served usage. */
  readonly usage: string;
  readonly resource: string;
  readonly status: number;
  readonly seconds: number;
  readonly conflict: string | undefined;
}

export interface Metrics {
  readonly registry: Registry;
  record(request: RequestRecord): void;
}

/** The metrics of this process. */
export function createMetrics(figures: () => Figures): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'xcapd_requests_total',
    help: 'Requests by method, application usage, kind of resource and status.',
    labelNames: ['method', 'usage', 'resource', 'status'] as const,
    registers: [registry],
  });
  const latency = new Histogram({
    name: 'xcapd_request_duration_seconds',
    help: 'Time from the last byte of the head to the end of the answer.',
    labelNames: ['method', 'resource'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  const conflicts = new Counter({
    name: 'xcapd_conflicts_total',
    help: 'Answers 409 by application usage and condition.',
    labelNames: ['usage', 'condition'] as const,
    registers: [registry],
  });
  for (const name of Object.keys(figures())) registerFigure(registry, name, () => figures()[name] ?? 0);
  return {
    registry,
    record({ method, usage, resource, status, seconds, conflict }) {
      requests.inc({ method, usage, resource, status: String(status) });
      latency.observe({ method, resource }, seconds);
      if (conflict !== undefined) conflicts.inc({ usage, condition: conflict });
    },
  };
}

function registerFigure(registry: Registry, name: string, read: () => number): void {
  const common = { name: `xcapd_${name}`, help: name.replaceAll('_', ' '), registers: [registry] };
  if (!name.endsWith('_total')) {
    new Gauge({
      ...common,
      collect() {
        this.set(read());
      },
    });
    return;
  }
  new Counter({
    ...common,
    collect() {
      this.reset();
      this.inc(read());
    },
  });
}
