-- Of which keyspaces a verifier may accept keys, as its relay lets it read: {"keyspaces": ["ks_…", …]} only these, {"without":
-- ["ks_…", …]} all but these, {} all. Null: written by a server that knew of none of it, and counts as all. Finishing a
-- rotation asks only those that reach its keyspace.
alter table verifier_state add column reach jsonb;
