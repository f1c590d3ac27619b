-- Which older programs work on a database that has a migration, so that a release can be rolled back without its database.
-- Each migration says it for itself, here: `insert into xcapd.compatible_programs (migration, oldest) values (8, 7)` where
-- programs that know only the migrations up to 7 still work with 8. Where none does, `oldest` is the migration itself.

create table xcapd.compatible_programs (
  migration integer primary key,
  oldest integer not null,
  check (oldest between 1 and migration)
);

-- Programs without this migration refuse each newer one.
insert into xcapd.compatible_programs (migration, oldest) select number, number from generate_series(1, 7) as number;
