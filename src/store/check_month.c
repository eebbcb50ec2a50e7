/* Sums of months: the same as their days come to, which are summed again. */
#include "store/check.h"
#include "store/duck.h"
#include "store/month.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIFFERENCE "SELECT '%s differs from the sums of its days in ' || count(*) || ' rows' FROM (" \
	"(FROM (%s) EXCEPT ALL FROM read_parquet(%s, hive_partitioning = false)) UNION ALL " \
	"(FROM read_parquet(%s, hive_partitioning = false) EXCEPT ALL FROM (%s))) HAVING count(*) > 0"

int check_month(struct check *k, enum month_kind kind, char *const *text)
{
	char path[STORE_PATH], quoted[DUCK_PATH], root[STORE_PATH], quoted_root[DUCK_PATH];
	const char *select = month_select(kind);
	if (!folder_path(k->folder, path, "%s", text[3]) || !duck_quote(path, quoted) ||
	    !folder_path(k->folder, root, "%s", "") || !duck_quote(root, quoted_root))
		return error_set(k->e, -ENAMETOOLONG, "MON-STO-001", "the name of the store is too long");
	int rc = duck_run(k->con, k->e, "SET VARIABLE month_files = (SELECT list(%s || path ORDER BY id) FROM hot.parts "
	                  "WHERE table_name = '%s' AND sensor = '%s' AND day BETWEEN DATE '1970-01-01' + %s AND "
	                  "DATE '1970-01-01' + %ld)",
	                  quoted_root, month_source(kind), text[2], text[1], (strtol(text[6], NULL, 10) - 1439) / 1440);
	return rc ? rc : check_query(k, CHECK_ROWS, DIFFERENCE, text[3], select, quoted, quoted, select);
}
