/** Counters of a registrar. */
export interface RegistrarMetrics {
  /** Adds one to `endorse_registrar_<name>_total{result="…"}`. */
  count(name: 'requests' | 'registrations' | 'authentications' | 'weak_tokens', result: string): void;
  /** The counters by name and result, for example `registrations.created`. */
  snapshot(): Readonly<Record<string, number>>;
  /** The counters in the text format of Prometheus. */
  render(): string;
}

/** Makes counters that begin at zero. The results are words of this package, so their number is bounded. */
export function createMetrics(): RegistrarMetrics {
  const counters = new Map<string, number>();
  return {
    count(name, result) {
      const key = `${name}.${result}`;
      counters.set(key, (counters.get(key) ?? 0) + 1);
    },
    snapshot: () => Object.fromEntries(counters),
    render() {
      const names = [...new Set([...counters.keys()].map((key) => key.split('.')[0] ?? key))];
      return names
        .flatMap((name) => [
          `# TYPE endorse_registrar_${name}_total counter`,
          ...[...counters]
            .filter(([key]) => key.startsWith(`${name}.`))
            .map(
              ([key, value]) =>
                `endorse_registrar_${name}_total{result="${key.slice(name.length + 1)}"} ${value}`,
            ),
        ])
        .map((line) => `${line}\n`)
        .join('');
    },
  };
}
