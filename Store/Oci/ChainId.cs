using System.Text;

namespace ImageStore.Store.Oci;

/// <summary>Chain IDs: what names a stack of applied layers (OCI image spec, config.md, "Layer ChainID").</summary>
public static class ChainId
{
    /// <summary>The chain IDs of each prefix of <paramref name="diffIds"/>, base first; always sha256.</summary>
    public static IReadOnlyList<Digest> Of(IReadOnlyList<Digest> diffIds)
    {
        ArgumentNullException.ThrowIfNull(diffIds);
        var result = new Digest[diffIds.Count];
        for (var i = 0; i < result.Length; i++)
        {
            result[i] = i == 0 ? diffIds[0] : Digest.Compute(Encoding.ASCII.GetBytes($"{result[i - 1]} {diffIds[i]}"));
        }

        return result;
    }
}
