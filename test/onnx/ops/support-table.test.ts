// docs/ops.md is what the op table and the gradient cases say; `sh scripts/support-table` writes it.
import { expect, test } from 'vitest';
import { supportTable } from '../../../scripts/support-table.js';

test('docs/ops.md', async () => {
  await expect(supportTable()).toMatchFileSnapshot('../../../docs/ops.md');
});
