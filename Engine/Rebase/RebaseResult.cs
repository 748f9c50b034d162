using ImageStore.Store.Oci;

namespace ImageStore.Engine.Rebase;

/// <summary>An image on its new base.</summary>
/// <param name="Name">Its full name.</param>
/// <param name="Target">Its manifest.</param>
/// <param name="OldBaseLayers">How many layers were taken away below.</param>
/// <param name="NewBaseLayers">How many came in their place.</param>
/// <param name="KeptLayers">How many are its own.</param>
public sealed record RebaseResult(string Name, Descriptor Target, int OldBaseLayers, int NewBaseLayers, int KeptLayers);
