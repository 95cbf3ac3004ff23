/** `optim.lrScheduler`: learning rates over time. */
export * from './combined.ts';
export * from './cyclic.ts';
export * from './decay.ts';
export {
  type LastEpochOptions,
  LRScheduler,
  type Scheduled,
  type ScheduledGroup,
  type SchedulerStateDict,
} from './scheduler.ts';
