// The part of the library for Node: data sources, workspaces, and onnxruntime-node.
export type { AnalysedHead, Analysis, AnalysisProgress, TapSensitivity } from './analysis/analyze.js';
export type { KeptMetrics, MeasuredPruning, PrunedPart, PruneGoal, PruneProgress } from './analysis/prune/prune.js';
export type {
  LearnedTask,
  Spread,
  StudyMethod,
  StudyResult,
  StudySummary,
  StudyTask,
  TransferMatrix,
} from './analysis/study/result.js';
export type { NamedTargetHead, TargetHead } from './data/checks.js';
export type { SourceContext, TargetColumns } from './data/sources/source.js';
export { loadData } from './data/sources.js';
export type { FleetTableOptions } from './fleet/customer-table.js';
export type { Fleet } from './fleet/folder.js';
export type { FleetWeight } from './fleet/forms.js';
export { type FleetAnswer, type FleetInputs, FleetRunner, type FleetRunnerOptions } from './fleet/runner.js';
export { type LoadedRuntime, type LoadSettings, loadRuntime } from './onnx/runtime/load.js';
export { NodeRuntime } from './onnx/runtime/node.js';
export { loadOrtTraining } from './onnx/runtime/ort-training-node.js';
export { type AnalyzeOptions, analyzeTask } from './tasks/analyze-task.js';
export { type ChangedTaps, type ChangeTapsOptions, changeTaps } from './tasks/change-taps.js';
export { type Deployed, type DeployOptions, deployTasks, type PageOptions } from './tasks/deploy.js';
export type { EarlierTask } from './tasks/earlier-tasks.js';
export { addToFleet, type ExportedFleet, type ExportFleetOptions, exportFleet } from './tasks/export-fleet.js';
export {
  type CalibrationOptions,
  type ExportedPrecision,
  exportWithPrecision,
  type PrecisionOptions,
} from './tasks/export-precision.js';
export type { ExportOptions } from './tasks/export-tasks.js';
export { type FreezeTaskOptions, freezeTask } from './tasks/freeze-task.js';
export { type LoadedWorkspace, loadWorkspace } from './tasks/load-workspace.js';
export type { Measured as MeasuredPrecision, TaskLoss } from './tasks/measure-precision.js';
export { type OpenOptions, open } from './tasks/open-network.js';
export { type Change, type PrunedMetric, type PrunedTask, type PruneOptions, pruneTask } from './tasks/prune-task.js';
export { type MadeReport, type ReportOptions, report } from './tasks/report/make-report.js';
export { type ResetTask, resetTask } from './tasks/reset-task.js';
export { type SaveOptions, save } from './tasks/save-network.js';
export type { MethodName as StudyMethodName } from './tasks/study/methods.js';
export { type StudyOptions, type StudyProgress, study } from './tasks/study/study.js';
export { takeFromFleet } from './tasks/take-from-fleet.js';
export { type FleetProgress, type TrainedFleet, type TrainFleetOptions, trainFleet } from './tasks/train-fleet.js';
export { type TrainedTask, type TrainTaskOptions, trainTask } from './tasks/train-task.js';
export { type Verified, type VerifiedHead, type VerifyOptions, verifyTask } from './tasks/verify.js';
export { WorkspaceNetwork, type WorkspaceTrainOptions } from './tasks/workspace-network.js';
export type { MeasuredOutput, Measures } from './train/measures.js';
export type { FrozenColumn } from './workspace/column-store.js';
export type { Json } from './workspace/json.js';
export type { Workspace } from './workspace/workspace.js';
