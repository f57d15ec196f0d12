import { Fault } from '../errors/fault.ts';

/** `code field` of the fault that the action throws; `done` if it throws none. Anything but a Fault goes on up. */
export function faultOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof Fault) return `${error.code} ${error.field}`;
    throw error;
  }
  return 'done';
}
