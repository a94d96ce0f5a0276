/** Bare Node.js: what every process costs before it does anything. */
console.error(JSON.stringify({ maxRssKiB: process.resourceUsage().maxRSS }));
