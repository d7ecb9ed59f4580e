package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// row is one line of the table: one metric of one contender. Its JSON form has
// the values in the unit that it names.
type row struct {
	Metric    metric    `json:"metric"`
	Title     string    `json:"title"`
	Contender string    `json:"contender"`
	Note      string    `json:"note"`
	Unit      string    `json:"unit"`
	Samples   int       `json:"samples"`
	P10       float64   `json:"p10"`
	P50       float64   `json:"p50"`
	P99       float64   `json:"p99"`
	OverBare  *float64  `json:"over_bare,omitempty"`     // p50 of the differences, in Unit
	Ratio     *float64  `json:"ratio_to_bare,omitempty"` // p50 of the ratios
	Budgets   []verdict `json:"budgets,omitempty"`
}

// verdict is a judged budget. Value and the bound in Text are of the same kind,
// in nanoseconds, bytes or a plain ratio.
type verdict struct {
	Text  string  `json:"text"`
	Value float64 `json:"value"`
	Pass  bool    `json:"pass"`
}

// judge makes the rows, in the order of metricTable and then of the field.
func judge(r *results) []row {
	var rows []row
	for _, info := range metricTable() {
		for _, contender := range r.field {
			measured := r.samples[contender.name][info.metric]
			if len(measured) == 0 {
				continue
			}
			line := row{
				Metric: info.metric, Title: info.title, Contender: contender.name, Note: contender.note,
				Unit: info.unit.name, Samples: len(measured),
				P10: measured.quantile(0.1) / info.unit.scale,
				P50: measured.median() / info.unit.scale,
				P99: measured.quantile(0.99) / info.unit.scale,
			}
			if contender.name != bare && len(r.rounds[bare][info.metric]) > 0 {
				over := r.extra(info.metric, contender.name, bare) / info.unit.scale
				ratio := r.rounds[contender.name][info.metric].over(r.rounds[bare][info.metric]).median()
				line.OverBare, line.Ratio = &over, &ratio
			}
			line.Budgets = verdicts(r, contender.name, info.metric)
			rows = append(rows, line)
		}
	}
	return rows
}

// verdicts judges the budgets of one cell. A budget whose other side was not
// measured has no value and is left out.
func verdicts(r *results, contender string, m metric) []verdict {
	var list []verdict
	for _, budget := range budgets() {
		if budget.contender != contender || budget.metric != m {
			continue
		}
		if value := budget.value(r); !math.IsNaN(value) {
			list = append(list, verdict{budget.text, value, budget.holds(value)})
		}
	}
	return list
}

func printTable(out io.Writer, rows []row) error {
	lines := []string{"\tp10\tp50\tp99\tunit\tover bare\tratio\tbudget"}
	last := ""
	for _, line := range rows {
		if line.Title != last {
			lines = append(lines, line.Title+strings.Repeat("\t", 7))
			last = line.Title
		}
		lines = append(lines, strings.Join([]string{
			"  " + line.Contender, short(line.P10), short(line.P50), short(line.P99), line.Unit,
			optional("%+.3g", line.OverBare), optional("%.3f", line.Ratio), budgetText(line.Budgets),
		}, "\t"))
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(table, strings.Join(lines, "\n")+"\n"); err != nil {
		return err
	}
	return table.Flush()
}

func budgetText(list []verdict) string {
	var texts []string
	for _, v := range list {
		result := "pass"
		if !v.Pass {
			result = "MISSED"
		}
		texts = append(texts, v.Text+": "+result)
	}
	return strings.Join(texts, "; ")
}

func short(value float64) string { return fmt.Sprintf("%.4g", value) }

func optional(format string, value *float64) string {
	if value == nil {
		return ""
	}
	return fmt.Sprintf(format, *value)
}
