import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { type Params, urlOf } from "../api/client";
import type { Listing } from "../api/types";
import { here, usePlace } from "../router";
import { useStatus } from "../state";
import { t } from "../text/strings";
import type { Column } from "./table";

// What can be done with the rows of a section: the same words in the same order everywhere. A part of the URL says which
// charts are shown as tables; a link holds the moments of what is seen, so that it shows the same tomorrow.

const TABLES = "table";
const shownAsTables = (query: URLSearchParams): string[] => (query.get(TABLES) ?? "").split(",").filter(Boolean);
export const useAsTable = (id: string): boolean => shownAsTables(usePlace().query).includes(id);

function TableSwitch({ id }: { id: string }): JSX.Element {
	const others = shownAsTables(usePlace().query).filter(n => n !== id),
		on = useAsTable(id);
	return (
		<a href={here({ [TABLES]: (on ? others : [...others, id]).join(",") || null, cursor: usePlace().query.get("cursor") })}>
			{on ? t("chart") : t("table")}
		</a>
	);
}

// The packets behind rows: 10,000 at most, of the span's last day. For analysts on the program's own machine.
export function PacketsLink({ of }: { of: Params }): JSX.Element {
	return (
		<a class="alone" href={urlOf("/v1/packets", of)} download>
			{t("packetsFile")}
		</a>
	);
}

// A list as a file: what the API calls its form.
function FileLink({ url, form }: { url: string; form: "csv" | "jsonl" }): JSX.Element {
	return (
		<a href={url + (url.includes("?") ? "&" : "?") + "format=" + form} download>
			{t(form)}
		</a>
	);
}
export const CsvLink = ({ url }: { url: string }): JSX.Element => <FileLink url={url} form="csv" />;

// A button whose deed needs no page of its own: it says for a moment that it was done.
function Deed({ name, done, act, disabled }: { name: string; done: string; act: () => Promise<unknown>; disabled?: boolean }): JSX.Element {
	const [did, didSet] = useState(false);
	const run = async (): Promise<void> => {
		await act().catch(() => undefined);
		didSet(true);
		setTimeout(() => didSet(false), 1500);
	};
	return (
		<button type="button" disabled={disabled} onClick={() => void run()}>
			<span aria-live="polite">{did ? done : name}</span>
		</button>
	);
}

// Rows as text for a letter or a sheet: tabs between, one row a line; each says when it is made up.
export function asText<Row>(columns: Column<Row>[], rows: Row[], simulated = false): string {
	const told = columns.filter(c => c.text),
		mark = (word: string): string[] => (simulated ? [word] : []);
	const lines = [
		[...told.map(c => c.head), ...mark("simulated")],
		...rows.map(r => [...told.map(c => String(c.text!(r) ?? "").replace(/[\t\n]/g, " ")), ...mark("true")]),
	];
	return lines.map(l => l.join("\t")).join("\n") + "\n";
}

function CopyRows<Row>({ columns, rows }: { columns: Column<Row>[]; rows: Row[] | undefined }): JSX.Element {
	const simulated = useStatus().data?.simulated === true;
	return (
		<Deed
			name={t("copy")}
			done={t("copied")}
			disabled={!rows?.length}
			act={() => navigator.clipboard.writeText(asText(columns, rows ?? [], simulated))}
		/>
	);
}

// The address of what is seen: a range before `as_of` becomes its two moments.
export function lasting(id: string, place: string, of: { from?: string; to?: string } | undefined, origin: string): string {
	const url = new URL(place, origin);
	if (of?.from && of.to) {
		url.searchParams.delete("range");
		url.searchParams.set("from", of.from);
		url.searchParams.set("to", of.to);
	}
	url.hash = id;
	return url.href.replace(/%3A/g, ":").replace(/%2C/g, ",");
}

function LinkTo({ id, of, place }: { id: string; of: { from?: string; to?: string } | undefined; place: string }): JSX.Element {
	return (
		<Deed
			name={t("link")}
			done={t("copied")}
			act={() => navigator.clipboard.writeText(lasting(id, place, of, location.origin))}
		/>
	);
}

export interface ActionsProps<Row> {
	id: string; // of the section
	url: string | null;
	of?: Partial<Pick<Listing<unknown>, "from" | "to">> | undefined;
	columns?: Column<Row>[];
	rows?: Row[] | undefined;
	forms?: boolean | undefined; // of the file: not CSV alone
	chart?: boolean; // it can also be shown as a table
	tableHref?: string; // or is one on another page
	place?: string; // where the link leads, where that is not here
	png?: (() => void) | undefined;
	children?: ComponentChildren;
}

export function Actions<Row>(p: ActionsProps<Row>): JSX.Element {
	const asTable = useAsTable(p.id),
		drawn = p.chart && !asTable;
	return (
		<>
			{p.children}
			{p.tableHref && <a href={p.tableHref}>{t("table")}</a>}
			{p.chart && <TableSwitch id={p.id} />}
			{p.columns && !drawn && <CopyRows columns={p.columns} rows={p.rows} />}
			{p.url && <CsvLink url={p.url} />}
			{p.url && p.forms && <FileLink url={p.url} form="jsonl" />}
			<LinkTo id={p.id} of={p.of} place={p.place ?? here({ cursor: usePlace().query.get("cursor") })} />
			{p.png && !asTable && (
				<button type="button" onClick={p.png}>
					{t("png")}
				</button>
			)}
		</>
	);
}
