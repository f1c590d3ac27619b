/** What the server counts, for Prometheus. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { packageFolder } from '../package-files.js';
import type { Login } from './identification.js';

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
  readonly login: Login;
}

export interface ManagementRequest {
  readonly method: string;
  /** As it was registered; '' where there is none. */
  readonly route: string;
  readonly status: number;
}

export interface Metrics {
  readonly registry: Registry;
  record(request: RequestRecord): void;
  recordManagement(request: ManagementRequest): void;
  /** The certificate with which a listener answers from now on (PEM). */
  setCertificate(listener: 'xcap' | 'management', certificate: Buffer): void;
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
  const logins = new Counter({
    name: 'xcapd_logins_total',
    help: 'Requests by the authentication scheme that decided who asks, and how that went.',
    labelNames: ['scheme', 'outcome'] as const,
    registers: [registry],
  });
  const managementRequests = new Counter({
    name: 'xcapd_management_requests_total',
    help: 'Requests to the management listener by method, route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    registers: [registry],
  });
  new Gauge({
    name: 'xcapd_build_info',
    help: 'Which version of xcapd runs, on which version of Node.js; the value is 1.',
    labelNames: ['version', 'node'] as const,
    // The same in all workers.
    aggregator: 'first',
    registers: [registry],
  }).set({ version: packageVersion(), node: process.versions.node }, 1);
  const expiryOf = (name: string, listener: string) =>
    new Gauge({
      name,
      help: `When the certificate of the ${listener} listener expires, in seconds since 1970; 0 where it speaks plain HTTP.`,
      aggregator: 'min',
      registers: [registry],
    });
  const certificateExpiry = {
    xcap: expiryOf('xcapd_certificate_expiry_timestamp_seconds', 'XCAP'),
    management: expiryOf('xcapd_management_certificate_expiry_timestamp_seconds', 'management'),
  };
  for (const name of Object.keys(figures())) registerFigure(registry, name, () => figures()[name] ?? 0);
  return {
    registry,
    record({ method, usage, resource, status, seconds, conflict, login }) {
      requests.inc({ method, usage, resource, status: String(status) });
      latency.observe({ method, resource }, seconds);
      const { scheme = '', outcome } = login;
      if (outcome !== undefined) logins.inc({ scheme, outcome });
      if (conflict !== undefined) conflicts.inc({ usage, condition: conflict });
    },
    recordManagement: ({ method, route, status }) =>
      managementRequests.inc({ method, route, status: String(status) }),
    setCertificate: (listener, certificate) =>
      certificateExpiry[listener].set(Date.parse(new X509Certificate(certificate).validTo) / 1000),
  };
}

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
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
