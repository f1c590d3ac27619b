/** Documents and their versions as rows, for those who look after them. */
import type { DocumentRecords } from '../../subscribers/register.js';
import type { UserDocumentSelector } from '../../xcap/terms.js';
import { keyOf, selectorOf, type DocumentKey } from './key.js';
import { inPages, pageOf, type Transactions } from '../transactions.js';

interface DocumentRow extends DocumentKey {
  readonly entity_tag: string;
  readonly version: number;
  readonly bytes: number;
  readonly changed_at: Date;
  readonly reason: string | null;
}

interface VersionRow {
  readonly version: number;
  readonly entity_tag: string;
  readonly bytes: number | null;
  readonly author: string;
  readonly changed_at: Date;
}

export function openDocumentRecords({ query }: Transactions): DocumentRecords {
  return {
    async documentsOf(xui) {
      const rows = await inPages<DocumentRow>((after, limit) =>
        query({
          text:
            'select xui, auid, path, entity_tag, version::float8 as version, octet_length(content) as bytes, ' +
            'changed_at, reason from xcapd.documents ' +
            'left join xcapd.flagged_documents using (xui, auid, path, entity_tag) ' +
            'where xui = $1 and (auid, path) > ($2, $3) order by auid, path limit $4',
          values: [xui, after?.auid ?? '', after?.path ?? '', limit],
        }),
      );
      return rows.map((row) => ({
        document: userSelectorOf(row),
        entityTag: row.entity_tag,
        version: row.version,
        bytes: row.bytes,
        changedAt: row.changed_at.toISOString(),
        invalid: row.reason ?? undefined,
      }));
    },
    async usageOf(xui) {
      const [row] = await query<{ documents: number; bytes: number }>({
        text:
          'select count(*)::float8 as documents, coalesce(sum(octet_length(content)), 0)::float8 as bytes ' +
          'from xcapd.documents where xui = $1',
        values: [xui],
      });
      return row ?? { documents: 0, bytes: 0 };
    },
    async countOfOtherUsages(auids) {
      const rows = await query<{ auid: string; documents: number }>({
        text:
          'select auid, count(*)::float8 as documents from xcapd.documents ' +
          'where auid <> all($1::text[]) group by auid order by auid',
        values: [auids],
      });
      return new Map(rows.map(({ auid, documents }) => [auid, documents]));
    },
    async versions(document, { after, limit }) {
      const rows = await query<VersionRow>({
        text:
          'select version::float8 as version, entity_tag, octet_length(content) as bytes, author, changed_at ' +
          'from xcapd.document_versions where xui = $1 and auid = $2 and path = $3 ' +
          'and ($4::bigint is null or version < $4) order by version desc limit $5',
        values: [...valuesOf(keyOf(document)), after, limit + 1],
      });
      return pageOf(
        rows,
        limit,
        (row) => ({
          version: row.version,
          entityTag: row.entity_tag,
          bytes: row.bytes ?? undefined,
          author: row.author,
          changedAt: row.changed_at.toISOString(),
        }),
        ({ version }) => String(version),
      );
    },
    async versionText(document, version) {
      const [row] = await query<{ content: string | null }>({
        text:
          'select content from xcapd.document_versions ' +
          'where xui = $1 and auid = $2 and path = $3 and version = $4',
        values: [...valuesOf(keyOf(document)), version],
      });
      return row?.content ?? undefined;
    },
    async currentText(document) {
      const [row] = await query<{ content: string }>({
        text: 'select content from xcapd.documents where xui = $1 and auid = $2 and path = $3',
        values: valuesOf(keyOf(document)),
      });
      return row?.content;
    },
    async deletedDocumentsOf(xui) {
      const rows = await inPages<DocumentKey>((after, limit) =>
        query({
          text:
            'select distinct xui, auid, path from xcapd.document_versions as versions where xui = $1 ' +
            'and (auid, path) > ($2, $3) ' +
            'and not exists (select from xcapd.documents where documents.xui = versions.xui ' +
            'and documents.auid = versions.auid and documents.path = versions.path) order by auid, path limit $4',
          values: [xui, after?.auid ?? '', after?.path ?? '', limit],
        }),
      );
      return rows.map(userSelectorOf);
    },
    async claimsOf(xui) {
      const rows = await inPages<{ uri: string }>((after, limit) =>
        query({
          text: 'select uri from xcapd.claims where xui = $1 and uri > $2 order by uri limit $3',
          values: [xui, after?.uri ?? '', limit],
        }),
      );
      return rows.map(({ uri }) => uri);
    },
  };
}

function valuesOf({ xui, auid, path }: DocumentKey): string[] {
  return [xui, auid, path];
}

function userSelectorOf(key: DocumentKey): UserDocumentSelector {
  const selector = selectorOf(key);
  if (selector.tree !== 'users') throw new Error('a document of a user is in the global tree');
  return selector;
}
