package portplan

// Compute makes the plan. The order of in.Pods is irrelevant.
func Compute(in Input) Plan {
	return Plan{Exposed: in.Range}
}

// TemplateRange is the value of the pod template's passive-range annotation, whose change rolls
// the pods: what the template has, as long as no pod holds ports outside the declared range, and
// the declared range otherwise. So a range that grew rolls nothing.
func TemplateRange(template string, in Input, plan Plan) string {
	if template == "" || len(plan.Outdated) > 0 {
		return in.Range.String()
	}
	return template
}
