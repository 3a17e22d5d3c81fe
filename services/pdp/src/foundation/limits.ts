/** Every limit of the service, with its unit in its name. docs/limits.md is written from this page; the edge of each is tested. */
export const limits = {
  /** Input and context of one call, together, as JSON. */
  callBytesMax: 256 * 1024,
  /** Members of objects and items of lists in both and in the answers, at all depths: what reading and judging them takes. */
  callValuesMax: 4_000,
  /** The same in a message that carries calls as objects, in JSON or as protobuf's Struct, its own fields included. */
  messageValuesMax: 1_000,
  /** Nesting of objects and lists in input, context and answers. */
  jsonDepthMax: 32,
  callIdBytesMax: 256,
  toolNameBytesMax: 256,
  nameBytesMax: 200,
  estimatesMax: 16,
  sessionBudgetsMax: 16,
  /** Books of budgets that a replica remembers; of others it asks the store once more. */
  budgetAccountsKeptMax: 100_000,
  /** Decisions of here whose reports need no look at the store, and what is remembered of them; of older ones it is asked. */
  recentDecisionsMax: 8192,
  recentDecisionsBytesMax: 16 * 1024 * 1024,
  /** Accounts that a budget kept by keys may open in one window, and where each session has its own, for one session. */
  budgetAccountsOpenMax: 100_000,
  /** Accounts that one call may be charged to. */
  callAccountsMax: 128,
  constraintsMax: 64,
  labelsMax: 64,
  labelBytesMax: 256,
  /** Selectors of agents that a tenant observes. */
  observeSelectorsMax: 64,
  purposeBytesMax: 1024,
  scopeEntriesMax: 256,
  /** Scopes that bind a call, together, as its entry tells them whole; of longer ones it tells what they say of its tool. */
  entryScopesBytesMax: 32 * 1024,
  /** The same of what they say of its tool. */
  toolScopesBytesMax: 2 * 1024 * 1024,
  batchItemsMax: 64,
  callsInFlightPerSessionMax: 64,
  /** Calls that are decided or explained at one time, over all sessions. */
  callsInFlightMax: 8192,
  /** Explain is turned away before Decide: from this many calls in flight on, and from this fill of the queue on. */
  explainInFlightMax: 1024,
  explainFillPercentMax: 25,
  /** Rules of one explanation that are listed; the rest is counted. */
  explainedRulesMax: 500,
  /** Calls of one caller in a second, here, unless its tenant's quota or the configuration says otherwise. */
  callerCallsPerSecondDefault: 10_000,
  adminCallsPerSecondMax: 500,
  /** How often it is asked where to log in, here, over all who ask: nobody proves who they are for it. */
  loginQuestionsPerSecondMax: 20,
  /** API keys that turned out to be unknown, looked up in the store in a second, here, over all who ask. */
  unknownKeysPerSecondMax: 100,
  /** Tokens of issuers that turned out to prove nobody, verified in a second, here, over all who ask. */
  unknownTokensPerSecondMax: 100,
  /** A token of an issuer, in compact serialization. */
  jwtBytesMax: 8 * 1024,
  /** Of a subject, a group, an actor that a token names. */
  subjectBytesMax: 512,
  tokenGroupsMax: 256,
  /** How far an issuer's clock and ours may be apart. */
  clockSkewSeconds: 30,
  /** Of one tenant. */
  issuersMax: 64,
  issuerAudiencesMax: 16,
  bindingsMax: 1000,
  /** Agents that the bindings of a tenant name together: whoever meets all of them is compared with each. */
  bindingAgentsMax: 2_000,
  /** The longest that a token of an issuer may live, from its issue to its expiry, where its issuer is not said to be stricter. */
  issuerTokenSecondsMax: 24 * 3600,
  /** The same of a person's token: who leaves a group keeps what it gave for no longer. Unless it says so: an hour. */
  personTokenSecondsMax: 12 * 3600,
  personTokenSecondsDefault: 3600,
  /** One document of an issuer: its keys, or where they are. */
  issuerDocumentBytesMax: 256 * 1024,
  /** Members and items of one, at all depths. */
  issuerDocumentValuesMax: 4_000,
  issuerDocumentMsMax: 3_000,
  jwksKeysMax: 100,
  /** An issuer's keys are read again when they are older than the first, and believed until they are older than the second. */
  jwksFreshSeconds: 300,
  jwksStaleSeconds: 3600,
  /** How often they are read at most, because of a key that is missing or a read that failed; three times at once after a rest. */
  jwksFetchEverySeconds: 10,
  /** Streams of one connection over HTTP/2, each a call: as it ends, all of them do in one turn. */
  connectionStreamsMax: 256,
  handlesPerStreamMax: 4096,
  framesInFlightPerStreamMax: 1024,
  /** Allowed calls of one stream that would be told to stop. Beyond it the oldest are not told. */
  callsWatchedPerStreamMax: 8192,
  /** Answers and notices waiting for a peer that reads too slowly. Past either bound its stream is ended. */
  streamQueueMessagesMax: 4096,
  streamQueueBytesMax: 8 * 1024 * 1024,
  /** One message of a lane. An input may be spelt in JSON that is longer than its canonical form. */
  messageBytesMax: 1024 * 1024,
  adminMessageBytesMax: 16 * 1024 * 1024,
  /** One part of such a message: a file, a document. A text is made of its bytes in one piece. */
  adminPartBytesMax: 2 * 1024 * 1024,
  /** Fields and items of a message that carries no calls, an item that is a message as three; in JSON its values. */
  messageRecordsMax: 12_000,
  /** A message of the admin plane in JSON, which takes ten times as long to read as protobuf's bytes, in one piece. */
  adminJsonBytesMax: 256 * 1024,
  /** What reading the documents of one request may take of the thread that does nothing else. */
  readingMsMax: 60_000,
  readingMiBMax: 1024,
  /** Problems of one answer that show their line; there may be one a rule. */
  problemsPlacedMax: 1000,
  /** An input longer than this stands beside its entry, bound by its digest. */
  inlineInputBytesMax: 8 * 1024,
  /** Attempts of one call: answers to its questions, approvals, denials that may be asked again. */
  attemptsPerCallMax: 64,
  /** Records waiting for the commit. */
  queueRecordsMax: 4096,
  queueBytesMax: 64 * 1024 * 1024,
  /** The part of both that reports alone may use. */
  queueReservePercent: 25,
  batchRecordsMax: 256,
  batchBytesMax: 2 * 1024 * 1024,
  /** What the records of one commit move accounts of budgets, together; one record goes whatever it moves. */
  batchMovesMax: 2048,
  /** The longest that a record waits to be confirmed before its caller is told that the ledger is unavailable. */
  recordWaitMsMax: 2_000,
  /** One page of decisions: how many, how long together, and how many are looked at to find them. */
  listPageRecordsMax: 100,
  listPageBytesMax: 4 * 1024 * 1024,
  listScanRecordsMax: 1000,
  sessionLifetimeDefaultSeconds: 24 * 3600,
  sessionLifetimeMaxSeconds: 30 * 24 * 3600,
  tokenLifetimeSeconds: 3600,
  lateReportSeconds: 24 * 3600,
  /** How long a replica may go on signing with the key before the newest: far more than it takes to hear of it. */
  signingKeyOverlapSeconds: 3600,
  /** The longest that a Decide may take when its caller names no deadline. */
  deadlineDefaultMs: 5_000,
  /** Of one tenant; its quotas may say less. */
  toolsMax: 20_000,
  agentsMax: 100_000,
  budgetsMax: 10_000,
  groupsMax: 10_000,
  /** Accounts, and holds, of one answer. */
  accountsListedMax: 100,
  holdsListedMax: 100,
  /** What they are of, together; one hold at least is answered. */
  holdAmountsListedMax: 2_000,
  /** Why a limit was set, something was frozen, or a hold resolved. */
  budgetReasonBytesMax: 1024,
  /** Registrations that one request may delete. */
  namesDeletedMax: 10_000,
  /**
   * What is registered, declared or published, callers, issuers, bindings, tenants: of one answer, and how long they are
   * together. It is made while others wait to be decided.
   */
  registeredListedMax: 500,
  registeredListedBytesMax: 192 * 1024,
  /** Of one tenant, in force: all of them may be about one tool, and a call of it is judged in one piece. */
  rulesMax: 10_000,
  /** Of one tenant, in force: an answer tells them all. */
  policiesMax: 1_000,
  /** Of one decision, in its entry and where it is explained: how many there are is told in the detail. */
  unknownsToldMax: 32,
  /** Of one tenant, in force: each keeps up to 16 MiB of memory. */
  regoPoliciesMax: 64,
  /** Living, of one tenant; those of sessions end with their sessions. */
  revocationsMax: 20_000,
  /** Living, of one tenant. */
  haltsMax: 64,
  haltLabelsMax: 16,
  /** Why something was revoked, halted or lifted. */
  revocationReasonBytesMax: 1024,
  /** Why what breakers counted was set aside. */
  breakerReasonBytesMax: 1024,
  /** Breakers of one answer. */
  breakersListedMax: 100,
  /** Revocations of one answer. */
  revocationsListedMax: 100,
  /** Versions of policies that one request may name. */
  policyChoicesMax: 64,
  /** Delegations below a session that was opened. A tenant's quota may say less or more, and never more than the most. */
  delegationDepthDefault: 4,
  delegationDepthMax: 8,
  /** Delegated sessions that closing one closes with it, so that they no longer count as open; all of them end. */
  delegationsClosedMax: 10_000,
  /** What a delegation's refusal names of the excesses of its scope. */
  scopeExcessesShownMax: 20,
  /** Proposed changes of a tenant that wait for approval, and what one says in all, as canonical JSON. */
  changesProposedMax: 64,
  changeBytesMax: 1024 * 1024,
  changeReasonBytesMax: 1024,
  changeLifetimeDefaultSeconds: 3 * 24 * 3600,
  changeLifetimeMaxSeconds: 30 * 24 * 3600,
  /** People that what widens authority may take. */
  peopleMax: 8,
  /** Prefixes of SPIFFE ids that speak to one tenant. */
  workloadPrefixesMax: 64,
} as const;
