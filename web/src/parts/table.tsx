import type { ComponentChildren, JSX } from "preact";
import type { Listing } from "../api/types";
import type { Loaded } from "../api/client";
import { here, usePlace } from "../router";
import { NONE } from "../text/format";
import { why } from "./section";

export interface Column<Row> {
	key: string;
	head: string;
	cell: (row: Row) => ComponentChildren;
	text?: (row: Row) => string | number | null; // as copied; without it the column is for the eye alone
	sort?: (row: Row) => string | number | null; // what it sorts by, greatest first for numbers
	number?: boolean;
	class?: string;
	headless?: boolean; // its head is for who cannot see
	optional?: boolean; // absent where no row has it
}

export interface TableProps<Row> {
	label: string;
	columns: Column<Row>[];
	of: Loaded<Listing<Row>>;
	rows?: Row[]; // those to be shown, where not all are
	id: (row: Row) => string;
	empty?: string;
	hint?: number; // rows to keep place for
	mark?: (row: Row) => string; // a class of its row
	sorts?: string; // the part of the query that says by what it is sorted; without it, it is not
}

function compare(a: string | number | null, b: string | number | null): number {
	if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
	return typeof a === "number" && typeof b === "number"
		? b - a
		: String(a).localeCompare(String(b), undefined, { numeric: true });
}

function sorted<Row>(rows: Row[], columns: Column<Row>[], by: string | null): Row[] {
	const back = by?.startsWith("-") ?? false,
		key = back ? by!.slice(1) : by;
	const sort = columns.find(c => c.key === key)?.sort;
	if (!sort) return rows;
	const out = [...rows].sort((a, b) => compare(sort(a), sort(b)));
	return back ? out.reverse() : out;
}

function Head<Row>({ column, by, name }: { column: Column<Row>; by: string | null; name: string | undefined }): JSX.Element {
	const looks = `${column.class ?? ""}${column.number ? " n" : ""}`;
	if (!name || !column.sort)
		return (
			<th scope="col" class={looks}>
				{column.headless ? <span class="hidden">{column.head}</span> : column.head}
			</th>
		);
	const on = by === column.key ? "on" : by === "-" + column.key ? "back" : null;
	const next = on === "on" ? "-" + column.key : on === "back" ? null : column.key;
	const first = column.number ? "descending" : "ascending";
	return (
		<th
			scope="col"
			class={looks}
			aria-sort={on === null ? "none" : on === "on" ? first : first === "ascending" ? "descending" : "ascending"}
		>
			<a class="sorter" href={here({ [name]: next })}>
				{column.head}
				{on && <i aria-hidden="true">{(on === "on") === (first === "descending") ? "▾" : "▴"}</i>}
			</a>
		</th>
	);
}

export function Table<Row>(p: TableProps<Row>): JSX.Element {
	const { query } = usePlace();
	const by = p.sorts ? query.get(p.sorts) : null;
	const rows = sorted(p.rows ?? p.of.data?.rows ?? [], p.columns, by);
	const words = p.of.data === undefined && p.of.failure ? NONE : why(p.of, () => rows.length === 0, p.empty); // its section says why
	const columns = p.columns.filter(c => !c.optional || rows.length === 0 || rows.some(r => c.text!(r) !== null));
	return (
		<div class="scroll" tabIndex={0} role="region" aria-label={p.label}>
			<table aria-label={p.label} class={p.mark ? "marked" : undefined} data-list={p.sorts ? "" : undefined}>
				<thead>
					<tr>
						{columns.map(c => (
							<Head key={c.key} column={c} by={by} name={p.sorts} />
						))}
					</tr>
				</thead>
				<tbody>
					{words === null
						? rows.map(r => (
								<tr key={p.id(r)} class={p.mark?.(r)}>
									{columns.map(c => (
										<td key={c.key} class={`${c.class ?? ""}${c.number ? " n" : ""}`}>
											{c.cell(r)}
										</td>
									))}
								</tr>
							))
						: Array.from({ length: p.hint ?? 5 }, (_, i) => (
								<tr key={i} class={"blank" + (p.of.slow ? " grey" : "")}>
									<td colSpan={columns.length}>{i === 0 && words ? words : <span class="block" />}</td>
								</tr>
							))}
				</tbody>
			</table>
		</div>
	);
}
