import { defineApplicationUsage, readOnly } from '../../src/xcap/usage/contract.js';
import { usage as userProfile } from '../org.openmobilealliance.user-profile/usage.js';

/** OMA Shared Profile XDM: what the operator tells everybody about a user. */
export const usage = defineApplicationUsage({
  ...userProfile,
  auid: 'org.openmobilealliance.locked-user-profile',
  defaultDocument: 'locked-user-profile',
  schema: 'locked-user-profile.xsd',
  authorization: readOnly,
});
