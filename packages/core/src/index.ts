/*
 * The rules of a key, pure: no I/O, no clock, no randomness, no dependency. Everyone may import this package;
 * it imports nobody.
 */

export {
  type Algorithm,
  type AlgorithmName,
  algorithmNames,
  algorithmOfJose,
  algorithms,
  isAlgorithmName,
  type WebCryptoParameters,
} from './algorithms/algorithms.ts';
export { approvalOfDocument, documentOfApproval } from './approvals/approval-codec.ts';
export {
  type ApprovalRecord,
  type ApprovalState,
  type ApprovalTerms,
  approvalStates,
} from './approvals/approval-record.ts';
export {
  type ApprovalCommand,
  type ApprovalEvent,
  approvalTransitions,
} from './approvals/approval-transitions.ts';
export {
  approvalStateAt,
  collectApproval,
  type DecideApproval,
  type Decider,
  decideApproval,
  expireApproval,
  isOpen as isOpenApproval,
  type RequestApproval,
  requestApproval,
  withdrawApproval,
} from './approvals/decide-approval.ts';
export { issueNeedsApproval, requireApproved, scopeToApprove } from './approvals/scope-to-approve.ts';
export {
  abortCampaign,
  afterWaiting,
  type Campaign,
  type CampaignKind,
  type CampaignPace,
  type CampaignPhase,
  type CampaignTerms,
  type CampaignTotals,
  campaignKinds,
  campaignStages,
  completeStage,
  type DeadlinePolicy,
  deadlinePolicies,
  finishCampaign,
  isEnded,
  type KeySelector,
  nextStage,
  noTotals,
  pauseCampaign,
  type RankRange,
  resumeCampaign,
  type SelectableState,
  selectableStates,
  stageRanks,
  type ThrottleReason,
  tripCampaign,
} from './campaigns/campaign.ts';
export {
  type ChunkKey,
  enforceOn,
  isSamePlace,
  type KeyOutcome,
  noProgress,
  progressIn,
  type ShardProgress,
  takeKey,
} from './campaigns/chunk.ts';
export { isOverBudget, nextPace, type Pace, samplesMin, type VerifySample } from './campaigns/pace.ts';
export { isInRange, isUnnarrowed, mayMeet, rankOf, selects } from './campaigns/selector.ts';
export { type CampaignState, campaignStates, campaignTransitions } from './campaigns/transitions.ts';
export { bytesOfHex, hexOf } from './encoding/hex.ts';
export type { JsonObject, JsonValue } from './encoding/json.ts';
export { AssertionBroken, assert } from './errors/assert.ts';
export { Fault, type FaultDetails } from './errors/fault.ts';
export { isFaultCode, type Problem, problemType, toProblem } from './errors/problem.ts';
export { type FaultCode, type FaultRow, faultRegistry } from './errors/registry.ts';
export {
  type BadRow,
  decodeKeyFact,
  decodeKeyspaceFact,
  decodeKeyTraitsFact,
  decodeOwnerFact,
  decodeSigningKeyFact,
  isBadRow,
} from './facts/decode-facts.ts';
export { decodeFeedRow } from './facts/decode-feed-row.ts';
export {
  encodeEventData,
  encodeFeedRow,
  encodeKeyFact,
  encodeKeyspaceFact,
  encodeKeyTraitsFact,
  encodeOwnerFact,
  feedRowFormat,
} from './facts/encode-facts.ts';
export {
  type EventType,
  eventTypes,
  type FeedPosition,
  type FeedRow,
  type KeyFact,
  type KeyspaceFact,
  type KeyTraitsFact,
  type OwnerFact,
  type SubjectId,
  type VersionFact,
} from './facts/facts.ts';
export {
  fingerprintFactBytes,
  keyFactOf,
  keyspaceFactOf,
  ownerFactOf,
  traitsMemberOf,
} from './facts/make-facts.ts';
export {
  type AnyId,
  idFromUuidBytes,
  idFromUuidText,
  idTimeMs,
  parseId,
  shardOfHash,
  shardOfId,
  uuidBytesOf,
  uuidHexOf,
} from './ids/id-codec.ts';
export type {
  ApprovalId,
  CampaignId,
  DeadLetterId,
  IdKind,
  IdKinds,
  KeyId,
  KeyspaceId,
  NoteId,
  OwnerId,
  SigningKeyId,
  WebhookId,
  WorkspaceId,
} from './ids/ids.ts';
export { uuidV7, uuidV8FromHash } from './ids/uuid.ts';
export { crc32 } from './key-format/crc32.ts';
export {
  findKeyString,
  formatVersion,
  isKeyStringShape,
  isPrefix,
  keyStringPrefixLength,
  mintedKeyLengthMax,
  mintedKeyLengthMin,
  mintKeyString,
  parseKeyString,
} from './key-format/key-format.ts';
export { checkScopes, checkText } from './lifecycle/check-fields.ts';
export {
  type DocumentId,
  type DocumentKind,
  type DocumentRecord,
  documentKindOf,
  documentKinds,
  withBody,
} from './lifecycle/document-record.ts';
export {
  checkEnrollment,
  type EnrollmentTerms,
  encodeEnrollment,
  enrolledMetadata,
  enrolledOwner,
  enrolledScopes,
  enrollmentOf,
  type OwnerName,
  type OwnerRule,
  useEnrollment,
} from './lifecycle/enrollment.ts';
export { type ExpiryNotice, expiryNotices, toldKey } from './lifecycle/expiry-notice.ts';
export { handOut } from './lifecycle/handed-to.ts';
export { type HeldKey, judgeHolder } from './lifecycle/holder-standing.ts';
export {
  type ImportedFormat,
  type ImportKey,
  type IssueKey,
  importedFormats,
  importKey,
  issueKey,
} from './lifecycle/issue-key.ts';
export type {
  KeyFormat,
  KeyRecord,
  KeyState,
  KeyspaceRecord,
  KeyVersion,
  OwnerKind,
  OwnerRecord,
  StoredKeyState,
  VersionState,
} from './lifecycle/key-record.ts';
export {
  decodeKeyTraits,
  encodeKeyTraits,
  type KeyTraits,
  noTraits,
  type TokenStatus,
  withToken,
} from './lifecycle/key-traits.ts';
export {
  builtinKeyspace,
  builtinKeyspaceName,
  builtinPrefix,
  type CreateKeyspace,
  closeKeyspaceRevocation,
  createKeyspace,
  isBuiltinKeyspace,
  type KeyspacePatch,
  type KeyspacePolicy,
  resumeKeyspace,
  revokeKeyspaceKeys,
  suspendKeyspace,
  updateKeyspace,
} from './lifecycle/keyspace.ts';
export {
  type ApprovalRules,
  decodeKeyspaceRules,
  encodeKeyspaceRules,
  type KeyspaceRules,
  type ProofRule,
  proofRules,
  type RotationRules,
  rulesDefault,
  type TokenRules,
} from './lifecycle/keyspace-rules.ts';
export {
  type CreateOwner,
  createOwner,
  ownerKinds,
  resumeOwner,
  revokeOwnerKeys,
  suspendOwner,
} from './lifecycle/owner.ts';
export { type RenewKey, renewKey, renewWindowOfKey, type SuccessorUse } from './lifecycle/renew-key.ts';
export { type RenewableVersion, type RenewWindow, renewWindowOf } from './lifecycle/renew-window.ts';
export { type RevokeKey, revokeKey } from './lifecycle/revoke-key.ts';
export { type FinishRotation, finishRotation, type RotateKey, rotateKey } from './lifecycle/rotate-key.ts';
export { type RenewalRequest, requestRenewal, settleRotation } from './lifecycle/scheduled-rotation.ts';
export {
  effectiveExpiryMs,
  graceVersionAt,
  keyStateAt,
  liveVersionsAt,
  underKeyspace,
  underOwner,
  versionStateAt,
} from './lifecycle/states.ts';
export { resumeKey, suspendKey } from './lifecycle/suspend-key.ts';
export {
  type KeyClockEvent,
  type KeyCommand,
  type KeyEvent,
  keyTransitions,
  type Transition,
  type VersionEvent,
  versionTransitions,
} from './lifecycle/transitions.ts';
export { type UpdateKey, updateKey } from './lifecycle/update-key.ts';
export {
  isSettled,
  refusalToFinish,
  type SettlingEvidence,
  settlingWindowMs,
  type UnheardVerifier,
  type UseEvidence,
  type VersionUse,
} from './lifecycle/use-evidence.ts';
export {
  decodeProofs,
  isProofMaterial,
  type NewProof,
  proofBytes,
  type VersionProof,
} from './lifecycle/version-proof.ts';
export * from './limits/limits.ts';
export {
  type CompiledScopes,
  compileScopes,
  covers,
  coversAll,
  firstNotCovered,
  isScope,
  isScopeSegment,
  normaliseScopes,
  parseScope,
  type Scope,
} from './scopes/scopes.ts';
export { Secret } from './secret/secret.ts';
export {
  nonceBytes,
  signatureLifetimeDefaultSeconds,
  signedRequestProfile,
} from './signed-requests/profile.ts';
export { formatSigningKeyId, parseSigningKeyId } from './signed-requests/signing-key-id.ts';
export {
  changeSigningKey,
  raiseTokensUntil,
  type SigningAlgorithm,
  type SigningKeyCommand,
  type SigningKeyRecord,
  type SigningKeyState,
  signingAlgorithms,
  signingKeyStates,
  signingKeyTransitions,
} from './signing/signing-key.ts';
export {
  decodeSigningKey,
  encodeSigningKey,
  encodeSigningKeyFact,
  publicKeyBytesOf,
  type SigningKeyFact,
  signingKeyFactOf,
} from './signing/signing-key-fact.ts';
export { hasControlCharacter, isStorableText, isWithinLength } from './text/check-text.ts';
export {
  readTokenClaims,
  scopesOfClaim,
  type TokenClaims,
  tokenClaimsText,
  tokenHeaderText,
  tokenType,
} from './tokens/token-claims.ts';
export { judge, newStanding, type ParentRefusal, type Standing } from './verdict/judge.ts';
export {
  type Answer,
  type RefusalCode,
  type RefusedVerdict,
  type RotationHint,
  refusalCodes,
  type StaleAnswer,
  type ValidVerdict,
  type Verdict,
  type VerdictCode,
} from './verdict/verdict.ts';
