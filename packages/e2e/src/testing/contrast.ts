// What runs in a page to judge its colours (WCAG 2.2, "contrast ratio").

const RATIO = `
  const parse = (color) => (color.match(/[\\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b]
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const ratio = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((x, y) => y - x);
    return (light + 0.05) / (dark + 0.05);
  };
  const canvas = parse(getComputedStyle(document.body).backgroundColor);
`;

/** The contrast of the outline of what has the focus with the page. */
export const focusContrast: string = `(() => {${RATIO}
  return ratio(parse(getComputedStyle(document.activeElement).outlineColor), canvas);
})()`;

/** The worst contrast of any text with what is behind it. */
export const worstContrast: string = `(() => {${RATIO}
  const over = ([r, g, b, a = 1], below) => [r, g, b].map((value, index) => value * a + below[index] * (1 - a));
  let worst = 21;
  for (const element of document.querySelectorAll('body *')) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const chain = [];
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) {
      chain.unshift(at);
      opacity *= Number(getComputedStyle(at).opacity);
    }
    const back = chain.reduce((below, at) => over(parse(getComputedStyle(at).backgroundColor), below), canvas);
    const [r, g, b, a = 1] = parse(getComputedStyle(element).color);
    worst = Math.min(worst, ratio(over([r, g, b, a * opacity], back), back));
  }
  return worst;
})()`;
