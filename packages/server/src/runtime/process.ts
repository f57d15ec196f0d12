/** The only way by which the process itself reaches the server's rooms: its variables, its output, its end. */
export interface ProcessPort {
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** The system that it runs on, as Node names it. */
  readonly platform: NodeJS.Platform;
  /** To standard output, past the log: for what a person has to see once. */
  print(text: string): void;
  /** Runs `stop` at each SIGTERM and SIGINT. */
  onSignal(stop: (signal: NodeJS.Signals) => void): void;
  /** Runs `report` for an exception or a rejection that nobody caught. */
  onBug(report: (error: unknown) => void): void;
  /** Ends the process; nothing that stands after it runs, except in a test. */
  exit(code: number): void;
}

export const currentProcess: ProcessPort = Object.freeze({
  variables: process.env,
  platform: process.platform,
  print: (text: string) => void process.stdout.write(text),
  onSignal(stop: (signal: NodeJS.Signals) => void) {
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  },
  onBug(report: (error: unknown) => void) {
    process.on('uncaughtException', report);
    process.on('unhandledRejection', report);
  },
  exit: (code: number) => process.exit(code),
});
