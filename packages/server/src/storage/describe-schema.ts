import type { Queryable, Statement } from './store.ts';

/** The live catalog in words that don't depend on the engine, in a fixed order: two equal schemas give equal JSON. */
export interface SchemaDescription {
  readonly tables: Readonly<Record<string, TableDescription>>;
  /** Names. The portable core has none of these (design §4), and a manifest shows it. */
  readonly sequences: readonly string[];
  readonly triggers: readonly string[];
  readonly functions: readonly string[];
  readonly types: readonly string[];
  readonly views: readonly string[];
}

export interface TableDescription {
  /** `range (day)`, for a partitioned table. Its partitions come and go and are not described. */
  readonly partitionedBy: string | null;
  readonly options: readonly string[];
  readonly columns: readonly ColumnDescription[];
  /** Name → definition. */
  readonly constraints: Readonly<Record<string, string>>;
  readonly indexes: Readonly<Record<string, string>>;
}

export interface ColumnDescription {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly default: string | null;
}

/** Tables and partitioned tables, without the partitions. */
const ours = `c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`;

const unnamed = (text: string): Statement => ({ name: '', text });

const readTables = unnamed(`
  select c.relname::text as name,
         case when c.relkind = 'p' then pg_get_partkeydef(c.oid) end as partitioned_by,
         coalesce(c.reloptions, '{}') as options
    from pg_class c where ${ours} order by c.relname`);

const readColumns = unnamed(`
  select c.relname::text as table_name, a.attname::text as name,
         format_type(a.atttypid, a.atttypmod) as type, not a.attnotnull as nullable,
         pg_get_expr(d.adbin, d.adrelid) as default_text
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
   where ${ours} order by c.relname, a.attnum`);

// Since version 18 a `not null` is a constraint of its own too (contype n); `nullable` says it for every version.
const readConstraints = unnamed(`
  select c.relname::text as table_name, k.conname::text as name, pg_get_constraintdef(k.oid) as definition
    from pg_class c join pg_constraint k on k.conrelid = c.oid
   where ${ours} and k.contype <> 'n' order by c.relname, k.conname`);

const readIndexes = unnamed(`
  select c.relname::text as table_name, i.relname::text as name, pg_get_indexdef(i.oid) as definition
    from pg_class c join pg_index x on x.indrelid = c.oid join pg_class i on i.oid = x.indexrelid
   where ${ours} order by c.relname, i.relname`);

const readOthers = unnamed(`
  select kind, name from (
    select 'sequences' as kind, relname::text as name from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'S'
    union all
    select 'views', relname::text from pg_class
     where relnamespace = 'public'::regnamespace and relkind in ('v', 'm')
    union all
    select 'triggers', t.tgname::text from pg_trigger t join pg_class c on c.oid = t.tgrelid
     where c.relnamespace = 'public'::regnamespace and not t.tgisinternal
    union all
    select 'functions', proname::text from pg_proc where pronamespace = 'public'::regnamespace
    union all
    select 'types', t.typname::text from pg_type t
     where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd', 'r')
  ) others order by kind collate "C", name collate "C"`);

interface Named {
  readonly table_name: string;
  readonly name: string;
}

export async function describeSchema(store: Queryable): Promise<SchemaDescription> {
  const tables = await store.query<{ name: string; partitioned_by: string | null; options: string[] }>(
    readTables,
  );
  const columns = await store.query<Named & { type: string; nullable: boolean; default_text: string | null }>(
    readColumns,
  );
  const constraints = await store.query<Named & { definition: string }>(readConstraints);
  const indexes = await store.query<Named & { definition: string }>(readIndexes);
  const others = await store.query<{ kind: string; name: string }>(readOthers);
  const namesOf = (kind: string) => others.filter((row) => row.kind === kind).map((row) => row.name);
  return {
    tables: Object.fromEntries(
      tables.map(({ name, partitioned_by, options }) => [
        name,
        {
          partitionedBy: partitioned_by === null ? null : partitioned_by.toLowerCase(),
          options,
          columns: columns
            .filter((row) => row.table_name === name)
            .map((row) => ({
              name: row.name,
              type: row.type,
              nullable: row.nullable,
              default: row.default_text,
            })),
          constraints: definitionsOf(constraints, name),
          indexes: definitionsOf(indexes, name),
        },
      ]),
    ),
    sequences: namesOf('sequences'),
    triggers: namesOf('triggers'),
    functions: namesOf('functions'),
    types: namesOf('types'),
    views: namesOf('views'),
  };
}

function definitionsOf(
  rows: readonly (Named & { readonly definition: string })[],
  table: string,
): Record<string, string> {
  return Object.fromEntries(
    rows.filter((row) => row.table_name === table).map((row) => [row.name, row.definition]),
  );
}
