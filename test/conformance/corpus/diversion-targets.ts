/** What the cases of call forwarding ask for. */
import { cp, simservs } from './case.js';

export const diversionElement = `${simservs}/~~/simservs/communication-diversion`;
export const ruleset = `${diversionElement}/cp:ruleset`;
export const rule = (id: string) => `${ruleset}/cp:rule%5b@id=%22${id}%22%5d?${cp}`;
export const prefixedDiversion = `${simservs}/~~/ss:simservs/ss:communication-diversion`;
export const forward = (id: string, conditions: string, target: string) =>
  `<cp:rule id="${id}"><cp:conditions>${conditions}</cp:conditions>` +
  `<cp:actions><forward-to><target>${target}</target></forward-to></cp:actions></cp:rule>`;
