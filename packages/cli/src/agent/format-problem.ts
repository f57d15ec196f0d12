import { type CredentialProblem, isKeyswarmError } from '@keyswarm/sdk';

export interface KeyInFile {
  readonly file: string;
  /** Not known where the server could not be asked yet, and of a key that somebody put into the file meanwhile. */
  readonly id: string | undefined;
}

/** What went wrong while the agent runs: the kind, why, and what happens next or has to be done. */
export function formatProblem({ kind, error }: CredentialProblem, { file, id }: KeyInFile): string {
  const key = id ?? 'the key';
  const told: Readonly<Record<CredentialProblem['kind'], string>> = {
    refused: `the server does not accept ${key} of ${file} (${reasonOf(error)}): it was revoked or has ended, or it is of another server. Put another key into the file: it is used within a minute`,
    superseded: `${key} of ${file} was renewed by somebody else, who uses the new version (${reasonOf(error)}). If that was none of yours: keyswarm self --from-file ${file} --revoke`,
    not_stored: `the new secret of ${key} can not be written to ${file} (${reasonOf(error)}). The old one works on for its grace; it is tried again within a minute`,
    failed: `${key} of ${file} could not be looked after (${reasonOf(error)}). It works on; it is tried again within a minute`,
  };
  return `${kind}: ${told[kind]}`;
}

/** The code by which the server refused, or the client gave up; otherwise what the system says. */
function reasonOf(error: unknown): string {
  if (isKeyswarmError(error)) {
    const isPlain = error.code === 'unauthenticated' || error.code === 'version_superseded';
    return isPlain ? error.code : `${error.code}: ${error.message}`;
  }
  return error instanceof Error ? error.message : 'it failed';
}
