/** What whoever asked for the cluster can mend: said in one sentence, without a stack. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}
