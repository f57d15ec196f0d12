-- Until when a verifier that has not heard of a lowered lease may run on the former one (null: never lowered). What
-- is revoked before then is not effective everywhere any sooner. Added without a default, so no row is rewritten.
alter table keyspaces add column former_lease_until timestamptz;
