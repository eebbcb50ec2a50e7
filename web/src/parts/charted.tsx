import type { JSX } from "preact";
import type { Listing } from "../api/types";
import { type Picture, save } from "../charts/png";
import { Actions, useAsTable } from "./actions";
import { Section, type SectionProps } from "./section";
import { type Column, Table } from "./table";
import type { Loaded } from "../api/client";

export interface ChartedProps<Row> extends Omit<SectionProps, "of" | "actions"> {
	of: Loaded<Listing<Row>>;
	url: string | null;
	csv?: string | null; // where the file is not of all that was asked for
	columns: Column<Row>[];
	rows?: Row[] | undefined; // of the table, where not all are
	rowId: (r: Row) => string;
	picture?: () => Picture;
	more?: JSX.Element | undefined; // actions before the others
	lead?: JSX.Element | undefined; // before chart and table
}

// A section whose evidence is a chart, or by the URL's wish the table behind it.
export function Charted<Row>(p: ChartedProps<Row>): JSX.Element {
	const { columns, rows, rowId, picture, more, lead, csv, children, ...section } = p;
	const asTable = useAsTable(p.id);
	return (
		<Section
			{...section}
			actions={
				<Actions
					id={p.id}
					url={csv === undefined ? p.url : csv}
					of={p.of.data}
					columns={columns}
					rows={rows ?? p.of.data?.rows}
					chart
					png={picture && (() => save(picture()))}
				>
					{more}
				</Actions>
			}
		>
			{lead}
			{asTable ? (
				<Table label={p.label} columns={columns} of={p.of} {...(rows ? { rows } : {})} id={rowId} sorts="sort" hint={12} />
			) : (
				children
			)}
		</Section>
	);
}
