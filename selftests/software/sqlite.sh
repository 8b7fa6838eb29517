# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A database in the directory that this is started in: journals, a second process, vacuum, backup.
set -eu
export SQLITE_TMPDIR="$PWD"

sqlite3 d.sqlite <<'EOF'
pragma journal_mode = wal;
create table t(id integer primary key, word text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000)
	insert into t select i, printf('word %08d', i * 7919 % 5000) from n;
create index by_word on t(word);
select count(*), max(word) from t;
.shell ls
EOF
# A reader holds its snapshot while a writer goes on.
sqlite3 d.sqlite <<'EOF'
begin;
select count(*) from t;
.shell sqlite3 d.sqlite 'delete from t where id > 4000; select changes();'
select count(*) from t;
commit;
select count(*) from t;
EOF
for mode in delete truncate persist off; do
	sqlite3 d.sqlite "pragma journal_mode = $mode; update t set word = word || '$mode' where id < 3;"
done
sqlite3 d.sqlite <<'EOF'
pragma temp_store = file;
pragma cache_size = 10;
create temp table big as select a.word w from t a, t b limit 200000;
select count(distinct w) from big;
vacuum;
pragma integrity_check;
.backup copy.sqlite
attach 'copy.sqlite' as c;
select count(*) from c.t join t using (id);
EOF
sqlite3 d.sqlite .dump | sqlite3 new.sqlite
sqlite3 -readonly new.sqlite 'select count(*) from t; delete from t' 2>&1 || echo "status $?"
ls
