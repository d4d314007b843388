// Samples to click on: of the tasks' own test data, which no task was trained on, each with what it is by its label.
import type { AskProps } from './ask-props.js';
import { partOf, samePart } from './input-shape.js';
import { NameText } from './name-text.js';
import { SampleImage } from './sample-image.js';
import { triedSamples } from './tried-samples.js';

export function SampleStrip({ page, state, network }: AskProps) {
  const samples = triedSamples(network);
  if (samples.length === 0) return null;
  const several = new Set(samples.map(({ task }) => task)).size > 1;
  const asked = state.asked[state.at];
  return (
    <div class="tries">
      <p class="quiet small" id="tries-title">
        From the test data
      </p>
      <ul aria-labelledby="tries-title">
        {samples.map(({ task, label, row, sample: { inputs, first }, sample }, i) => {
          // The picture of a sample, where one of its inputs is an image.
          const shown = inputs.find(({ image }) => image !== undefined) ?? first;
          const { image, ink } = shown;
          const picture = partOf(row, shown);
          return (
            <li key={`${task} ${i}`}>
              <button
                type="button"
                class={image === undefined || picture === undefined ? '' : 'picture'}
                aria-pressed={samePart(row, asked)}
                aria-label={`Ask about sample ${i + 1}${several ? ` of ${task}` : ''}, labelled ${label}`}
                onClick={() => page.askSample(row, sample)}
              >
                {image === undefined || picture === undefined ? null : <SampleImage row={picture} image={image} ink={ink} />}
                <span>
                  <NameText text={label} />
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
