import type { BotCountRow, BotGrowthRow } from "../api/types";
import type { RangeName } from "../span";
import { spanName } from "./answers";
import { count, duration, shareRound } from "./format";
import { lang } from "./language";
import { toolName } from "./services";

// What is said of source addresses that behave like bots. Never "devices", never "infected": a silent sensor sees SYNs alone.

// Mirai's name without what says that it only looks so: sentences say "behave like" themselves.
export const familyName = (family: string, l = lang()): string => (family === "mirai" ? "Mirai" : toolName(family, l));

// As many as there are more or fewer, if that is more than chance would do.
function against(r: BotCountRow, l = lang()): string {
	if (r.change === null || r.change_low === null || r.change_high === null) return "";
	if (r.change_low <= 0 && r.change_high >= 0) return l === "ja" ? "前の期間との差は偶然の範囲" : "no more nor fewer than before beyond chance";
	const size = shareRound(Math.abs(r.change), l),
		more = r.change > 0;
	return l === "ja" ? `前の期間より${size}${more ? "多い" : "少ない"}` : `${size} ${more ? "more" : "fewer"} than in the span before`;
}

// 7,951 source addresses behaved like Mirai in the last 24 hours (grade B), 12 % more than in the span before; 14,790 more may be forged.
export function infectionsAnswer(rows: BotCountRow[], name: RangeName | null, l = lang()): string {
	const lead = rows.find(r => r.grade === "B") ?? rows[0];
	if (!lead || !lead.family)
		return l === "ja" ? `${spanName(name, l)}に感染機器のように振る舞う送信元はありません。` : `No source address behaved like a known bot in ${spanName(name, l)}.`;
	const family = familyName(lead.family, l),
		unsure = rows.find(r => r.family === lead.family && r.grade === "C" && r !== lead),
		than = lead.grade === "B" ? against(lead, l) : "";
	if (l === "ja") {
		const sure = lead.grade === "B" ? "" : "（詐称の可能性あり）";
		const also = unsure && unsure.sources > 0 ? `ほか${count(unsure.sources)}件は詐称の可能性あり。` : "";
		return `${spanName(name, l)}に${family}のように振る舞った送信元は${count(lead.sources)}件${sure}${than ? `、${than}` : ""}。${also}`;
	}
	const one = lead.sources === 1,
		head = `${count(lead.sources)} source ${one ? "address" : "addresses"} behaved like ${family} in ${spanName(name, l)}`;
	const also = unsure && unsure.sources > 0 ? ` ${count(unsure.sources)} more may be forged.` : "";
	return `${head}${lead.grade === "B" ? "" : ", possibly forged"}${than ? `, ${than}` : ""}.${also}`;
}

// Mirai doubles in 1 h 23 min (95 %: 1 h 18 min to 1 h 29 min).
export function growthAnswer(rows: BotGrowthRow[], l = lang()): string {
	return rows
		.filter(r => r.hourly !== null)
		.map(r => {
			const family = familyName(r.family, l),
				long = (hours: number | null): string => duration((hours ?? 0) * 3600, l);
			if (r.doubling !== null)
				return l === "ja"
					? `${family}：${long(r.doubling)}で倍増（95%区間 ${long(r.doubling_low)}～${long(r.doubling_high)}）。`
					: `${family}: doubles in ${long(r.doubling)} (95 %: ${long(r.doubling_low)} to ${long(r.doubling_high)}).`;
			if ((r.hourly_high ?? 0) < 0) return l === "ja" ? `${family}：減少しています。` : `${family}: becoming fewer.`;
			return l === "ja" ? `${family}：増減は偶然の範囲です。` : `${family}: no growth beyond chance.`;
		})
		.join(l === "ja" ? "" : " ");
}
