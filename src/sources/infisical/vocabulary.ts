/** Names of Infisical's audit log. All are open sets: they help with completion and pushed-down filters, and never refuse anything. */

/**
 * Event types by their stored strings; `{a,b}-x` stands for `a-x` and `b-x`.
 * @source backend/src/ee/services/audit-log/audit-log-types.ts of Infisical/infisical at 0031d94e (539 values)
 */
const EVENT_TYPES = `
  get-secrets get-secret reveal-secret create-secret create-secrets update-secret update-secrets
  move-secrets delete-secret delete-secrets redact-secret-version-value get-project-key
  authorize-integration update-integration-auth unauthorize-integration create-integration
  delete-integration manual-sync-integration integration-synced {add,update,delete}-trusted-ip
  {create,delete}-service-token {create,update,delete,join}-sub-organization
  {create,update,delete}-identity {create,update,delete}-identity-{org,project}-membership
  machine-identity-auth-template-{create,update,delete} login-identity-universal-auth{,-failed}
  {add,update,get,revoke}-identity-universal-auth {create,revoke}-identity-universal-auth-client-secret
  clear-identity-{universal,ldap}-auth-lockouts get-identity-universal-auth-client-secret{,-by-id}
  {create,update,get}-token-identity-token-auth get-tokens-identity-token-auth
  {add,update,get,revoke}-identity-token-auth
  login-identity-{kubernetes,oidc,jwt,spiffe,gcp,alicloud,tls-cert,aws,oci,azure,ldap}-auth{,-failed}
  {add,update}-identity-{kubernetes,oidc,jwt,spiffe,gcp,alicloud,tls-cert,aws,oci,azure,ldap}-auth
  {get,revoke}-identity-{kubernetes,oidc,jwt,spiffe,gcp,alicloud,tls-cert,aws,oci,azure,ldap}-auth
  refresh-identity-spiffe-auth-bundle {create,update,delete,get}-environment add-project-member
  add-project-members remove-project-member {create,update,delete}-folder create-webhook
  update-webhook-status delete-webhook webhook-triggered get-secret-imports
  {get,create,update,delete}-secret-import update-user-project-role update-user-project-denied-permissions
  secret-approval-{merged,request,closed,reopened,request-review} sign-ssh-key issue-ssh-creds
  {create,get,update,delete}-ssh-certificate-authority get-ssh-certificate-authority-certificate-templates
  {create,update,delete,get}-ssh-certificate-template {get,create,update,delete}-ssh-host
  issue-ssh-host-{user,host}-cert {get,create,update,delete}-ssh-host-group get-ssh-host-group-hosts
  add-host-to-ssh-host-group remove-host-from-ssh-host-group {get,update}-project-ssh-config
  get-azure-ad-templates {create,get,update,delete,renew}-certificate-authority get-certificate-authorities
  get-certificate-authority-{csr,certs,cert,crls} sign-intermediate import-certificate-authority-cert
  generate-ca-certificate install-ca-cert-{venafi,adcs} {create,get,update}-ca-signing-config
  {get,update}-ca-auto-renewal-config get-ca-certificate-templates
  {issue,import,sign,get,delete,revoke}-cert get-cert-{body,private-key,bundle} export-cert-pkcs12
  {create,get,update,delete}-pki-alert {create,update,delete}-certificate-inventory-view
  {create,get,update,delete}-pki-collection get-pki-collection-items {add,delete}-pki-collection-item
  {create,update,delete,get}-pki-subscriber {issue,sign}-pki-subscriber-cert
  automated-renew-subscriber-cert automated-renew-certificate{,-failed} list-pki-subscriber-certs
  get-subscriber-active-cert-bundle {create,update,delete,get}-certificate-policy list-certificate-policies
  {create,update,get}-certificate-template-est-config {create,update,delete,get}-certificate-profile
  list-certificate-profiles {issue,sign,order}-certificate-from-profile renew-certificate
  get-certificate-profile-latest-active-bundle update-certificate-{renewal-config,metadata,cleanup-config}
  certificate-cleanup-completed disable-certificate-renewal-config {create,get}-certificate-request
  get-certificate-from-request list-certificate-requests {create,update,delete,get}-kms update-project-kms
  {get,load}-project-kms-backup org-admin-accessed-project org-admin-bypassed-sso user-login
  select-organization select-sub-organization attempt-{create,reinstall}-slack-integration
  {get,update}-project-slack-config {get,update,delete}-slack-integration
  {get,update}-project-workflow-integration-config {create,update,delete,get}-cmek get-cmeks
  cmek-{encrypt,decrypt,sign,verify,list-signing-algorithms,get-public-key,get-private-key}
  {update,get}-external-group-org-role-mapping get-project-templates
  {get,create,update,delete}-project-template get-app-connections get-available-app-connections-details
  {get,create,update,delete,migrate}-app-connection get-app-connection-usage
  rotate-app-connection-credentials {create,delete,read}-shared-secret create-secret-request
  get-secret-syncs {get,create,update,delete}-secret-sync secret-sync-{sync,import,remove}-secrets
  get-pki-syncs {get,create,update,delete}-pki-sync get-pki-sync-certificates
  pki-sync-{sync,import,remove}-certificates pki-sync-{set,clear}-default-certificate
  oidc-group-membership-mapping-{assign,remove}-user {create,update,delete,get}-kmip-client
  get-kmip-clients create-kmip-client-certificate setup-kmip get-kmip register-kmip-server
  kmip-operation-{create,get,destroy,get-attributes,activate,revoke,locate,register} get-secret-rotations
  {get,create,update,delete,reconcile}-secret-rotation get-secret-rotation-generated-credentials
  secret-rotation-rotate-secrets project-access-request
  microsoft-teams-workflow-integration-{create,delete,update,check-installation-status,get-teams,get,list}
  project-assume-privileges-session-{start,end} get-project-pit-{commits,commit-changes,commit-count}
  pit-{rollback-commit,revert-commit,get-folder-state,compare-folder-states,process-new-commit-raw}
  secret-scanning-data-source-{list,create,update,delete,get,trigger-scan,scan}
  secret-scanning-resource-list secret-scanning-scan-list secret-scanning-finding-{list,update}
  secret-scanning-config-{get,update} update-org {create,update,delete}-project
  {create,update,delete}-project-role {create,update,delete}-org-role {create,get,delete}-secret-reminder
  dashboard-list-secrets dashboard-get-secret-value dashboard-get-secret-version-value
  pam-session-{credentials-get,start,logs-update,end,terminate,get,list,event-batch-upload}
  pam-folder-{create,update,delete}
  pam-account-{list,get,access,create,update,delete,credential-rotation,credential-rotation-failed,policy-create,policy-update,policy-delete,policy-list,policy-get,read-credentials}
  pam-web-access-session-ticket-created pam-resource-{list,get,create,update,delete}
  pam-discovery-source-{list,get,create,update,delete} pam-discovery-scan
  pam-discovery-source-run-{list,get} pam-discovery-source-{resource,account}-list
  pam-resource-rotation-rule-{list,create,update,delete,reorder}
  approval-policy-{create,update,delete,list,get} approval-request-{get,list,create,approve,reject,cancel}
  approval-request-grant-{list,get,revoke} access-approval-request-{create,review,revoke,update}
  {create,retrieve}-acme-account {create,finalize}-acme-order download-acme-certificate
  {respond-to,pass,attempt,fail}-acme-challenge
  mcp-endpoint-{create,update,delete,get,list,list-tools,enable-tool,disable-tool,bulk-update-tools,oauth-client-register,oauth-authorize,connect,save-user-credential}
  mcp-server-{create,update,delete,get,list,list-tools,sync-tools} mcp-activity-log-list
  {create,update,delete,get}-dynamic-secret list-dynamic-secrets
  {create,delete,renew,get}-dynamic-secret-lease list-dynamic-secret-leases
  {create,update,delete,get}-pki-discovery get-pki-discoveries trigger-pki-discovery-scan
  {get,update,delete}-pki-installation get-pki-installations {create,update,delete,get}-pki-signer
  get-pki-signers get-pki-signer-public-key get-pki-signing-operations pki-signer-sign scep-enrollment
  scep-renewal secret-validation-rule-{create,update,delete} {create,verify,delete}-email-domain
`

/** Reading the log leaves this event in newer releases, once for each request at offset 0. */
export const OWN_READ = 'view-audit-logs'

/** Renamed over the releases, older name first. Stored rows keep theirs, and a newer server refuses it as a filter. */
const RENAMED: readonly (readonly [string, string])[] = [
  ['get-workspace-key', 'get-project-key'],
  ['add-workspace-member', 'add-project-member'],
  ['remove-workspace-member', 'remove-project-member'],
  ['update-user-workspace-role', 'update-user-project-role'],
  ['update-user-workspace-denied-permissions', 'update-user-project-denied-permissions'],
]

/** The seven types that make the server look at `environment`, `secretPath` and `secretKey`; `get-secrets` is not among them. */
export const SECRET_TYPES: readonly string[] = [
  'get-secret',
  'create-secret',
  'create-secrets',
  'update-secret',
  'update-secrets',
  'delete-secret',
  'delete-secrets',
]

/** What every release takes as a filter; each refuses the ones that it does not know. */
export const ACTOR_TYPES: readonly string[] = [
  'platform',
  'kmipClient',
  'user',
  'service',
  'identity',
  'machine',
  'scimClient',
  'unknownUser',
]

export const USER_AGENT_TYPES: readonly string[] = [
  'web',
  'cli',
  'k8-operator',
  'terraform',
  'other',
  'InfisicalPythonSDK',
  'InfisicalNodeSDK',
]

/** Where an actor's id and its readable name stand in the actor's metadata, the first one present. */
export const ACTOR_ID_KEYS: readonly string[] = [
  'userId',
  'identityId',
  'serviceId',
  'clientId',
  'accountId',
  'profileId',
]
export const ACTOR_NAME_KEYS: readonly string[] = ['email', 'username', 'name']

let known: readonly string[] | undefined

/** Every event type known so far, spelled out once asked for. */
export function knownEventTypes(): readonly string[] {
  known ??= [...EVENT_TYPES.trim().split(/\s+/).flatMap(spellOut), OWN_READ]
  return known
}

const aliasOf = new Map<string, readonly string[]>(
  RENAMED.flatMap((names) => names.map((name) => [name, names])),
)

/** The names that one event type has had, the given one first. */
export function aliases(eventType: string): readonly string[] {
  const names = aliasOf.get(eventType)
  return names === undefined ? [eventType] : [eventType, ...names.filter((name) => name !== eventType)]
}

function spellOut(word: string): readonly string[] {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/.exec(word)
  if (match === null) return [word]
  const [, before = '', choices = '', after = ''] = match
  return choices.split(',').flatMap((choice) => spellOut(`${before}${choice}${after}`))
}
