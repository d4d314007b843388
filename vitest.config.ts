import { configDefaults, defineConfig } from 'vitest/config';

const campaigns = 'test/**/*.campaign.test.ts';

// Two projects: `campaigns` are samples of long campaigns (docs/reliability.md) and pages followed from the packed package, `everyday` is all else.
// `npm test` runs everyday alone, scripts/test both.
export default defineConfig({
  test: {
    globalSetup: 'test/support/build.ts',
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: 'everyday', include: ['test/**/*.test.ts'], exclude: [...configDefaults.exclude, campaigns] } },
      { extends: true, test: { name: 'campaigns', include: [campaigns] } },
    ],
  },
});
