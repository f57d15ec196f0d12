-- Keys that are tokens. A keyspace's format is for good, so no row changes.
alter table keyspaces drop constraint keyspaces_format_known;
alter table keyspaces add constraint keyspaces_format_known check (format in ('opaque', 'jwt'));
