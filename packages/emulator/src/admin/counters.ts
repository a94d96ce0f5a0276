import type { EmulatorEvent } from '../core/events.ts';

/** Counters of what happened, by name and label, for the admin API; never an id and never a secret. */
export interface Counters {
  /** Counts an event. */
  count(event: EmulatorEvent): void;
  /** Every counter so far. */
  read(): Readonly<Record<string, number>>;
  /** The text format of Prometheus, 0.0.4, with gauges of what there is now. */
  render(gauges: Readonly<Record<string, number>>): string;
}

/** Makes counters that stand at zero. */
export function createCounters(): Counters {
  const values = new Map<string, number>();
  return {
    count: (event) => {
      const key = keyOf(event);
      values.set(key, (values.get(key) ?? 0) + 1);
    },
    read: () => Object.fromEntries(values),
    render: (gauges) => {
      const lines = [...values]
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, value]) => `${key} ${value}`);
      const current = Object.entries(gauges).flatMap(([name, value]) => [
        `# TYPE endorse_${name} gauge`,
        `endorse_${name} ${value}`,
      ]);
      const types = new Set([...values.keys()].map((key) => key.replace(/\{.*/, '')));
      return [
        ...[...types].toSorted().map((name) => `# TYPE ${name} counter`),
        ...lines,
        ...current,
        '',
      ].join('\n');
    },
  };
}

/** Labels are words of a closed list: the number of counters stays bounded. */
function keyOf(event: EmulatorEvent): string {
  switch (event.event) {
    case 'request-refused':
      return `endorse_requests_refused_total{operation="${word(event.operation)}",error_code="${event.errorCode}"}`;
    case 'fault-injected':
      return `endorse_faults_injected_total{kind="${event.kind}",carrier="${event.carrier}"}`;
    case 'registration-failed':
      return `endorse_registrations_failed_total{error_code="${event.errorCode}"}`;
    case 'enrollment-written':
    case 'enrollment-group-written':
      return `endorse_${snake(event.event)}_total{created="${event.created}"}`;
    default:
      return `endorse_${snake(event.event)}_total`;
  }
}

function snake(text: string): string {
  return text.replaceAll('-', '_');
}

/** The operation of a request that could not be read is its method, which may be anything. */
function word(operation: string): string {
  return /^[A-Za-z][a-z-]{1,40}$|^[A-Z]{3,7}$/.test(operation) ? operation : 'other';
}
