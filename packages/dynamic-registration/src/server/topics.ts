/** The topics of a device, as on the seed's platform: it publishes state, and hears commands. */

/** What may be published and heard, with `%` for the device id. */
export interface TopicRules {
  /** Topics a device may publish to; default `losant/%/state`. */
  readonly publish: readonly string[];
  /** Topics a device may subscribe to; default `losant/%/command`. */
  readonly subscribe: readonly string[];
}

/** The seed's topics. */
export const seedTopics: TopicRules = Object.freeze({
  publish: ['losant/%/state'],
  subscribe: ['losant/%/command'],
});

/** The topics of one device. A device id is hex, so it cannot hold a wildcard. */
export function topicsOf(rules: TopicRules, deviceId: string): TopicRules {
  const fill = (topics: readonly string[]): readonly string[] =>
    topics.map((topic) => topic.replaceAll('%', deviceId));
  return { publish: fill(rules.publish), subscribe: fill(rules.subscribe) };
}
