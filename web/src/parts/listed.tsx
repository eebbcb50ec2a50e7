import type { ComponentChildren, JSX } from "preact";
import { type Loaded, useApi } from "../api/client";
import type { Listing, SourceRow } from "../api/types";
import { t } from "../text/strings";
import { Actions } from "./actions";
import { Section, type SectionProps } from "./section";
import { sourceColumns } from "./sources";
import { type Column, Table, type TableProps } from "./table";

export interface ListedProps<Row> extends Omit<SectionProps, "of" | "actions">, Pick<TableProps<Row>, "hint" | "empty" | "mark" | "sorts"> {
	of: Loaded<Listing<Row>>;
	url: string;
	columns: Column<Row>[];
	rows?: Row[] | undefined; // those shown, where not all are
	rowId: (r: Row) => string;
	more?: ComponentChildren; // actions before the others
	lead?: ComponentChildren; // before the table
	file?: string | null; // of all rows, in each form, where the list shows a page of them
}

// A section whose evidence is one table.
export function Listed<Row>(p: ListedProps<Row>): JSX.Element {
	const { columns, rows, rowId, more, lead, hint, empty, mark, sorts, file, children, ...section } = p;
	const shown = rows ?? p.of.data?.rows;
	const table: TableProps<Row> = { label: p.label, columns, of: p.of, id: rowId };
	return (
		<Section
			{...section}
			actions={
				<Actions id={p.id} url={file ?? p.url} forms={file !== undefined} of={p.of.data} columns={columns} rows={shown}>
					{more}
				</Actions>
			}
		>
			{lead}
			<Table
				{...table}
				{...(rows ? { rows } : {})}
				{...(hint === undefined ? {} : { hint })}
				{...(empty === undefined ? {} : { empty })}
				{...(mark ? { mark } : {})}
				{...(sorts ? { sorts } : {})}
			/>
			{children}
		</Section>
	);
}

export function SourceList({ url, all, hint }: { url: string; all?: string; hint: number }): JSX.Element {
	const of = useApi<Listing<SourceRow>>(url);
	return (
		<Listed
			id="sources"
			label={t("sources")}
			unit={t("packetsCount")}
			of={of}
			url={url}
			columns={sourceColumns(of.data?.rows)}
			rowId={r => r.source}
			hint={hint}
			sorts="sort"
			more={all && <a href={all}>{t("all")}</a>}
		/>
	);
}
