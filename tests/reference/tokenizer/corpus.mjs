// The text that the tokenizers here are trained on and compared on: short sentences in many scripts, code, numbers, emoji.

export const sentences = [
  // Latin
  "The quick brown fox jumps over the lazy dog.", "what color is the circle ?", "How many red squares are there in the picture?",
  "The assistant gives helpful, detailed, and polite answers to the human's questions.", "I'm sure they'll say it's what we've seen; you'd agree, wouldn't you?",
  "IT'S SHE'LL WE'VE I'D THEY'RE DON'T I'M", "Ça va très bien, merci; où est l'hôtel près de la forêt?", "Größe, Übermut, Straße und Äpfel: süß!",
  "El niño comió piñas en la montaña. ¿Qué pasó? ¡Adiós!", "Příliš žluťoučký kůň úpěl ďábelské ódy.", "Zażółć gęślą jaźń.", "Árvíztűrő tükörfúrógép",
  "Đây là một câu tiếng Việt có nhiều dấu thanh: ắ ằ ẳ ẵ ặ.", "İstanbul'da ışık ve ılık çay", "Þetta er íslenska með ð og æ.", "ŋ ʃ ʒ θ ð ɣ ɸ ʔ /ɪntəˈnæʃənəl/",
  // Greek, Cyrillic, Armenian, Georgian
  "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία. Ὦ φίλοι, ᾧ ᾳ ῷ.", "Съешь же ещё этих мягких французских булок, да выпей чаю.", "Їжак, ґанок і єдність", "Ђак жваће љуту њушку",
  "Զանգվածային լրատվություն", "ქართული ენა და ანბანი", "ᲥᲐᲠᲗᲣᲚᲘ",
  // Right to left
  "שלום עולם, מה שלומך היום?", "בְּרֵאשִׁית בָּרָא אֱלֹהִים", "مرحبا بالعالم، كيف حالك؟", "اَلْعَرَبِيَّةُ لُغَةٌ جَمِيلَةٌ ٠١٢٣٤٥٦٧٨٩", "فارسی: گچ پژ ۰۱۲۳۴۵۶۷۸۹", "اردو میں ایک جملہ۔", "ܫܠܡܐ ܥܠܡܐ", "ދިވެހި ބަސް",
  // India and its neighbours
  "नमस्ते दुनिया, आप कैसे हैं? १२३४५", "क्षत्रिय ज्ञान श्री द्ध", "বাংলা ভাষায় একটি বাক্য ৬৭৮৯", "ਪੰਜਾਬੀ ਵਿੱਚ ਇੱਕ ਵਾਕ", "ગુજરાતીમાં એક વાક્ય", "ଓଡ଼ିଆ ଭାଷା", "தமிழில் ஒரு வாக்கியம் ௧௨௩", "తెలుగులో ఒక వాక్యం", "ಕನ್ನಡದಲ್ಲಿ ಒಂದು ವಾಕ್ಯ", "മലയാളത്തിൽ ഒരു വാക്യം", "සිංහල භාෂාවෙන්",
  "བོད་ཡིག་གི་ཚིག་གྲུབ།", "မြန်မာဘာသာ စာကြောင်း ၁၂၃", "ภาษาไทยไม่มีช่องว่างระหว่างคำ ๑๒๓", "ພາສາລາວ", "ភាសាខ្មែរ", "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ", "አማርኛ ቋንቋ ፩፪፫",
  // East Asia
  "今天天气很好，我们去公园吧。", "這張圖片裡有幾個紅色的圓形？", "これは日本語の文です。カタカナとひらがな、漢字。", "ｶﾞｷﾞｸﾞ　ＡＢＣ１２３", "한국어 문장입니다. 안녕하세요!", "한국어 각", "ㄅㄆㄇㄈ 注音", "ꀀꀁꀂ 彝文", "〇一二三 ㊀㊁ Ⅷ ⅳ ① ½ ¾ ² ³",
  // Scripts of the other planes
  "𐌰𐌱𐌲 𐌳𐌴𐍆 Gothic", "𐎀𐎁𐎂 𐏑", "𓀀𓁐𓂀 hieroglyphs", "𒀀𒀁𒁀 cuneiform 𒐀𒐁", "𐐔𐐯𐑅𐐨𐑉𐐯𐐻 Deseret", "𝒜𝓑𝔠𝕯 𝟘𝟙𝟚 math", "𠀀𠀁𠮷野家 𪚥", "𑀓𑀔 𑁧𑁨 Brahmi", "𞤀𞤣𞤤𞤢𞤥 Adlam 𞥐𞥑", "𐤀𐤁𐤂 Phoenician 𐤖", "𛀀𛀁 kana", "𝄞𝄢 𝅘𝅥𝅮 music", "𐡀𐡁 𐡘", "Ⲁⲁ Ⲃⲃ ϯ Coptic", "ᚠᚢᚦᚨᚱᚲ ᛮᛯ runes", "ᐃᓄᒃᑎᑐᑦ", "ᏣᎳᎩ ꭰꭱ",
  // Emoji
  "😀😃😄 smile 😂🤣", "👨‍👩‍👧‍👦 family 👩🏽‍💻 coder", "🏳️‍🌈 🏴‍☠️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪🇫🇷🇯🇵🇺🇸 flags 🇧🇷", "❤️ ❤ ☺️ ☎️ 1️⃣ #️⃣ *️⃣", "👍👍🏻👍🏿 ✌️🤞", "🧑‍🚀🐈‍⬛🐻‍❄️",
  // Marks
  "e\u0301 é a\u0308 ä n\u0303 ñ", "a\u0315\u0300\u05ae\u0062", "q\u0307\u0323 s\u0323\u0307 ṩ", "Å Å Å Ω K", "Z\u0351\u036b\u0343a\u0332l\u030bg\u0363o\u0321", "ﬁ ﬂ ﬃ ſ ﷺ ㌔", "\u1100\u1161\u11a8 \uac00\u11a8", "क\u093c ड\u093c \u0958",
  // Numbers
  "1 12 123 1234 12345 1234567890", "3.14159, -2.71828e-10 and 6.022×10²³", "$1,234.56 €99.99 £5 ¥1000 ₿0.5", "0x1F 0b1010 0o777 1_000_000", "12:34:56 2026-11-20T23:58:00Z", "+49 (0)30 123456", "٣٤٥ ६७८ ๙๐ Ⅻ ⅔ ㉑ ⑩",
  // Code
  "def f(x):\n    return x ** 2  # square\n", "for (int i = 0; i < n; i++) {\n\tsum += a[i];\n}\n", "SELECT * FROM t WHERE a = 'b' AND c <> \"d\";", "<div class=\"a b\">&amp;&lt;</div>", "{\"key\": [1, 2.5, null, true], \"s\": \"\\n\"}", "https://example.org/path?q=1&r=%20#top", "user@example.com C:\\Windows\\System32", "a+=b; c--; d!=e && f||g ?? h?.i", "$HOME/.config && ls -la | grep '^d' > /dev/null 2>&1", "λx.x ∀ε>0 ∃δ ∑∏∫ ≤≥≠ →⇒ ∅∈ℝ", "```csharp\nvar x = new List<int>();\n```",
  // White space and control characters
  " leading", "trailing ", "  two  spaces  ", "   three   ", "tab\ttab\t\ttabs", "line\nline\n\nlines\n\n\n", "cr\r\ncrlf\r\n\r\nend\r", " \n \n ", "\n", " ", "  ", "   ", "\t", "\r\n", "\n\n\n\n", " \t\n\r ", "a\u00a0b\u2003c\u3000d\u202fe", "\u2028line\u2029para", "a\u200bb\u200cc\u200dd\u2060e\ufefff", "\u0000\u0001\u001b[0m\u007f\u0080\u0085x\u009f", "\u000b\u000c vt ff", "soft\u00adhyphen", "rtl\u200f ltr\u200e \u202eoverride\u202c", "\ufffd \ufffe \uffff", "x\u0085\u0085y  \u0085", "\ufeffbom at the start", "inner \ufeff bom",
  // Punctuation
  "...!!!???", "—–-_ “quotes” ‘single’ «guillemets» „low“", "#hashtag @mention 50% & more", "(a)[b]{c}<d>", "!@#$%^&*()_+-=[]{}|;':\",./<>?`~", "¿¡§¶†‡•…‰′″‹›※", "'s 't 're 've 'm 'll 'd 'S 'T 'RE 'x", "▁ ▁▁ ▁a a▁b ▁▁▁c", "Ġ Ċ Ġthe ĉ", "<0x41> <0xE2> <0x0A>",
];
