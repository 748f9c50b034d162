using ImageStore.Store.Resources;

namespace ImageStore.Gc;

/// <summary>Why something stays.</summary>
/// <param name="Resource">What was asked about.</param>
/// <param name="Reason">Why the first of the chain stays by itself; null when nothing keeps it.</param>
/// <param name="Chain">From what stays by itself to what was asked about; empty when nothing keeps it.</param>
public sealed record Explanation(Resource Resource, RootReason? Reason, IReadOnlyList<Resource> Chain);
