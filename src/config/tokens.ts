/** Tokens of the management API: whoever has one has every subscriber. */

/** In characters. Shorter ones are guessed. */
export const shortestToken = 16;

export const shortTokenAdvice = `a token has at least ${shortestToken} characters. \`xcapd token\` makes one.`;
