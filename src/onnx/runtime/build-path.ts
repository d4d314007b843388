// ONNX Runtime's messages name its own sources by the path where it was built: `/onnxruntime_src/onnxruntime/core/x.cc`.

/** The text with such paths cut to what follows the last build folder: `onnxruntime/core/x.cc`. */
export function withoutBuildPaths(text: string): string {
  return text.replace(/\S+/g, (word) => {
    const begin = word.indexOf('/');
    const own = begin < 0 ? -1 : word.indexOf('onnxruntime/', begin + 2);
    return own < 0 || own + 'onnxruntime/'.length === word.length ? word : word.slice(0, begin) + word.slice(own);
  });
}
