/** What loading undici alone costs. */
await import('undici');
console.error(JSON.stringify({ maxRssKiB: process.resourceUsage().maxRSS }));
