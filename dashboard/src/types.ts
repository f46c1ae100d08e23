// The answers of the REST interface, as far as pages use them. They are Flink's shapes.

export type JobState =
  | 'INITIALIZING' | 'CREATED' | 'RUNNING' | 'FAILING' | 'FAILED' | 'CANCELLING' | 'CANCELED' | 'FINISHED'
  | 'RESTARTING' | 'SUSPENDED' | 'RECONCILING'

export interface Overview {
  taskmanagers: number
  'slots-total': number
  'slots-available': number
  'jobs-running': number
  'jobs-finished': number
  'jobs-cancelled': number
  'jobs-failed': number
  'flink-version': string
}

export interface JobSummary {
  jid: string
  name: string
  jobType?: string
  state: JobState
  'start-time': number
  'end-time': number
  duration: number
  'last-modification': number
  tasks: Record<string, number> & { total: number }
}

export interface Io {
  'read-bytes': number
  'read-bytes-complete'?: boolean
  'write-bytes': number
  'write-bytes-complete'?: boolean
  'read-records': number
  'write-records': number
  'accumulated-backpressured-time': number
  'accumulated-idle-time': number
  'accumulated-busy-time': number
}

export interface VertexSummary {
  id: string
  name: string
  parallelism: number
  maxParallelism: number
  status: string
  'start-time': number
  'end-time': number
  duration: number
  tasks: Record<string, number>
  metrics: Io
}

export interface PlanNode {
  id: string
  parallelism: number
  description: string
  inputs?: { id: string; num: number; ship_strategy: string; exchange: string }[]
}

export interface Job {
  jid: string
  name: string
  state: JobState
  'job-type'?: string
  'start-time': number
  'end-time': number
  duration: number
  now: number
  timestamps: Record<string, number>
  vertices: VertexSummary[]
  'status-counts': Record<string, number>
  plan: { jid: string; name: string; type: string; nodes: PlanNode[] }
}

export interface Subtask {
  subtask: number
  status: string
  attempt: number
  endpoint: string
  'start-time': number
  'end-time': number
  duration: number
  'taskmanager-id': string
  metrics: Io
}

export interface Vertex {
  id: string
  name: string
  parallelism: number
  maxParallelism: number
  now: number
  subtasks: Subtask[]
}

export interface BackPressure {
  status: string
  backpressureLevel: string
  subtasks: { subtask: number; ratio: number; idleRatio: number; busyRatio: number }[]
}

export interface MetricValue {
  id: string
  value?: string
}

export interface AggregatedMetric {
  id: string
  min?: number
  max?: number
  avg?: number
  sum?: number
  skew?: number
}

export interface SubtaskTimes {
  id: string
  name: string
  now: number
  subtasks: { subtask: number; endpoint: string; duration: number; timestamps: Record<string, number> }[]
}

export interface ExceptionEntry {
  exceptionName: string
  stacktrace: string
  timestamp: number
  taskName: string | null
  endpoint: string | null
  taskManagerId: string | null
  concurrentExceptions: ExceptionEntry[]
}

export interface Exceptions {
  exceptionHistory: { entries: ExceptionEntry[]; truncated: boolean }
}

export interface Spread {
  min: number
  max: number
  avg: number
  p50: number | 'NaN'
  p90: number | 'NaN'
  p95: number | 'NaN'
  p99: number | 'NaN'
  p999: number | 'NaN'
}

export interface CheckpointTask {
  id: number
  status: string
  latest_ack_timestamp: number
  checkpointed_size: number
  state_size: number
  end_to_end_duration: number
  num_subtasks: number
  num_acknowledged_subtasks: number
}

export interface Checkpoint {
  className: string
  id: number
  status: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED'
  is_savepoint: boolean
  trigger_timestamp: number
  latest_ack_timestamp: number
  checkpointed_size: number
  state_size: number
  end_to_end_duration: number
  processed_data: number
  persisted_data: number
  num_subtasks: number
  num_acknowledged_subtasks: number
  checkpoint_type: string
  external_path?: string
  discarded?: boolean
  failure_timestamp?: number
  failure_message?: string | null
  tasks: Record<string, CheckpointTask>
}

export interface Checkpoints {
  counts: { restored: number; total: number; in_progress: number; completed: number; failed: number }
  summary: Record<string, Spread>
  latest: {
    completed: Checkpoint | null
    savepoint: Checkpoint | null
    failed: Checkpoint | null
    restored: { id: number; restore_timestamp: number; is_savepoint: boolean; external_path: string | null } | null
  }
  history: Checkpoint[]
}

export interface CheckpointSubtasks extends CheckpointTask {
  subtasks: {
    className: string
    index: number
    status: string
    ack_timestamp?: number
    end_to_end_duration?: number
    checkpointed_size?: number
    state_size?: number
    checkpoint?: { sync: number; async: number }
    alignment?: { processed: number; persisted: number; duration: number }
    start_delay?: number
    unaligned_checkpoint?: boolean
  }[]
}

export interface ConfigEntry {
  key: string
  value: string
}

export interface TaskManager {
  id: string
  path: string
  dataPort: number
  timeSinceLastHeartbeat: number
  slotsNumber: number
  freeSlots: number
  hardware: { cpuCores: number; physicalMemory: number; freeMemory: number; managedMemory: number }
  memoryConfiguration: Record<string, number>
}

export interface LogFile {
  name: string
  size: number
  mtime: number
}

export interface ThreadInfo {
  threadName: string
  stringifiedThreadInfo: string
}

export interface VertexTaskManagers {
  id: string
  name: string
  now: number
  taskmanagers: {
    endpoint: string
    'taskmanager-id': string
    status: string
    'start-time': number
    duration: number
    metrics: Io
    'status-counts': Record<string, number>
  }[]
}

export interface Accumulators {
  'user-accumulators': { name: string; type: string; value: string }[]
}

export interface Operation {
  status: { id: 'IN_PROGRESS' | 'COMPLETED' }
  operation: { location?: string; checkpointId?: number; 'failure-cause'?: { class: string; 'stack-trace': string } } | null
}
