namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>The beginning or the end of a call, in the order in which the tracer saw them.</summary>
internal sealed record TraceEvent(TracedCall Call, bool IsEnd);
