/** The published list, which says of itself that it is not complete. @source circleci/circleci-docs, modules/security/pages/audit-logs.adoc (read 2026-08-20) */
export const KNOWN_ACTIONS: readonly string[] = `
ams.invitation.accepted ams.invitation.created ams.invitation.revoked
audit_log.download_url.generated audit_log.requested
build.create
checkout-key.create checkout-key.delete checkout-key.delete-all deploy-keys.delete
component.cancel_release component.promote_release
config_source.create config_source.delete config_source.update
context.create context.delete context.env_var.created context.env_var.delete context.env_var.store context.group_add context.group_remove
context.restriction.create context.restriction.delete context.secrets.accessed
group.delete group.update group_member.add group_member.remove
orb.namespace.create orb.orb.create orb.publish.dev orb.publish.release orb.version.promote
org.contacts.updated org.create org.rename org.workflows.deleted org_member.remove organization.settings.update
project.add project.api_token.create project.create project.delete project.env_var.copy project.env_var.create project.env_var.delete
project.follow project.rollback project.settings.update project.setup project.ssh_key.create project.ssh_key.delete project.stop_building
project.toggle-abusive project.unfollow project_group_role_grant.create project_group_role_grant.update
release_integration.create release_integration.delete release_integration.token.create release_integration.token.revoke
role_grant.delete role_grant.update
schedule.create schedule.delete schedule.update
trigger.create trigger.delete trigger_event.create
user.create user.logged_in user.logged_out
webhook.create webhook.delete webhook.update
workflow.cancel workflow.job.approve workflow.job.context.request workflow.job.finish workflow.job.scheduled workflow.job.start
workflow.retry workflow.schedule.start workflow.start
`
  .trim()
  .split(/\s+/)

/** The documentation prints some names with hyphens where the events have dots: for comparing, both are one. */
export function foldAction(action: string): string {
  return action.toLowerCase().replaceAll('-', '.')
}

/** The known spellings of an action, the given one first. */
export function aliases(action: string): readonly string[] {
  const folded = foldAction(action)
  return [action, ...KNOWN_ACTIONS.filter((known) => known !== action && foldAction(known) === folded)]
}
