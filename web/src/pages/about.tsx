import type { JSX } from "preact";
import { useApi } from "../api/client";
import type { About as AboutAnswer } from "../api/types";
import { Facts } from "../parts/controls";
import { Failed, Section } from "../parts/section";
import { count, date, NONE } from "../text/format";
import { DEFINITIONS, METHODS } from "../text/definitions";
import { lang } from "../text/language";
import { t } from "../text/strings";
import type { ViewProps } from "./index";

const URL_ABOUT = "/v1/about";
export const aboutAsks = (): string[] => [URL_ABOUT];

// Credits come with a link where their licence asks for one.
function Credit({ text }: { text: string | null }): JSX.Element {
	const match = /https:\/\/[^\s,;)]+/.exec(text ?? "");
	if (!text || !match)
		return /DB-IP/.test(text ?? "") ? (
			<a class="text" href="https://db-ip.com" rel="noreferrer">
				{text}
			</a>
		) : (
			<>{text ?? NONE}</>
		);
	return (
		<>
			{text.slice(0, match.index)}
			<a class="text" href={match[0]} rel="noreferrer">
				{match[0]}
			</a>
			{text.slice(match.index + match[0].length)}
		</>
	);
}

const kindText = (kind: string): string =>
	kind === "country" ? t("country") : kind === "as" || kind === "network" ? t("network") : kind;

export function About({ status }: ViewProps): JSX.Element {
	const of = useApi<AboutAnswer>(URL_ABOUT),
		about = of.data,
		s = status.data,
		l = lang();
	return (
		<>
			<section class="head">
				<h1>{t("aboutLead")}</h1>
				<p class="note">{t("aboutMore")}</p>
			</section>
			{s && (
				<div class="row">
					<div>
						<Facts
							of={[
								[t("version"), s.version],
								[t("schema"), String(s.schema)],
								[t("sensors"), count(s.sensors)],
								[t("addresses"), s.addresses === null ? t("unknown") : count(s.addresses)],
								[t("packets"), count(s.packets)],
								[t("since"), s.first ? date(new Date(s.first)) : NONE],
							]}
						/>
					</div>
				</div>
			)}
			<div class="row two">
				<Section id="definitions" label={t("definitions")}>
					<dl class="words">
						{DEFINITIONS[l].map(([word, text]) => (
							<>
								<dt>{word}</dt>
								<dd>{text}</dd>
							</>
						))}
					</dl>
				</Section>
				<div class="stack">
					<Section id="methods" label={t("methods")}>
						<ul class="plain">
							{METHODS[l].map(m => (
								<li key={m}>{m}</li>
							))}
						</ul>
					</Section>
					<Section id="data" label={t("dataSources")}>
						<Failed of={of} url={URL_ABOUT} />
						<table>
							<thead>
								<tr>
									<th scope="col">{t("kind")}</th>
									<th scope="col">{t("built")}</th>
									<th scope="col">{t("credit")}</th>
								</tr>
							</thead>
							<tbody>
								{(about?.databases ?? []).map(d => (
									<tr key={d.kind + d.type}>
										<td>{kindText(d.kind)}</td>
										<td class="soft">{d.built ? date(new Date(d.built)) : NONE}</td>
										<td class="wrap">
											<Credit text={d.credit} />
										</td>
									</tr>
								))}
								<tr>
									<td>{t("worldMap")}</td>
									<td class="soft">{NONE}</td>
									<td class="wrap">Natural Earth, {t("publicDomain")}</td>
								</tr>
							</tbody>
						</table>
					</Section>
					<Section id="machines" label={t("machines")}>
						<p class="note">{t("machinesText")}</p>
						<p>
							<a class="text" href="/openapi.json">
								/openapi.json
							</a>{" "}
							·{" "}
							<a class="text" href="/metrics">
								/metrics
							</a>
						</p>
					</Section>
				</div>
			</div>
		</>
	);
}
