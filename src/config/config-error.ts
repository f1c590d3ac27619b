/** A variable that is unknown or has a bad value; the message names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
