namespace ImageStore.Snapshotters.Layers;

/// <summary>The overlay form's variant.</summary>
/// <param name="OpaqueXattrName"><c>trusted.overlay.opaque</c> or <c>user.overlay.opaque</c>.</param>
public sealed record LayerFormat(string OpaqueXattrName)
{
    internal byte[] OpaqueXattr => System.Text.Encoding.ASCII.GetBytes(OpaqueXattrName + "\0");
}
