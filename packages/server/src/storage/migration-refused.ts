/** The schema of the database and the migrations of this version don't fit. Nothing was changed. */
export class MigrationRefused extends Error {
  override readonly name = 'MigrationRefused';
}
