import { lang, type Lang } from "./language";

// Names of countries and regions: the browser's, but for those it gives at a length that no table bears.
const SHORT: Record<string, Record<Lang, string>> = {
	US: { en: "United States", ja: "米国" },
	GB: { en: "United Kingdom", ja: "英国" },
	HK: { en: "Hong Kong", ja: "香港" },
	MO: { en: "Macao", ja: "マカオ" },
	TW: { en: "Taiwan", ja: "台湾" },
	KR: { en: "South Korea", ja: "韓国" },
	KP: { en: "North Korea", ja: "北朝鮮" },
	TR: { en: "Türkiye", ja: "トルコ" },
	CZ: { en: "Czechia", ja: "チェコ" },
	AE: { en: "U.A. Emirates", ja: "アラブ首長国連邦" },
	VN: { en: "Viet Nam", ja: "ベトナム" },
};

const names = new Map<Lang, Intl.DisplayNames>();

export function countryName(code: string | null | undefined, l = lang()): string {
	if (!code) return l === "ja" ? "不明" : "Unknown";
	const short = SHORT[code];
	if (short) return short[l];
	let display = names.get(l);
	if (!display) names.set(l, (display = new Intl.DisplayNames([l], { type: "region", style: "short", fallback: "code" })));
	try {
		return display.of(code) ?? code;
	} catch {
		return code; // no code at all
	}
}
