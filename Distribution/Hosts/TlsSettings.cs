using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using ImageStore.Store.Errors;

namespace ImageStore.Distribution.Hosts;

/// <summary>Whom a host is believed to be, and who we are to it.</summary>
internal sealed record TlsSettings
{
    public static TlsSettings Default { get; } = new();

    /// <summary>PEM files of authorities that are trusted besides the system's.</summary>
    public IReadOnlyList<string> Authorities { get; init; } = [];

    /// <summary>Certificates of ours and their keys; the key may be in the certificate's file.</summary>
    public IReadOnlyList<(string Certificate, string? Key)> Clients { get; init; } = [];

    public bool SkipVerify { get; init; }

    public bool IsDefault => Authorities.Count == 0 && Clients.Count == 0 && !SkipVerify;

    /// <summary>Equal settings have equal keys; records compare their lists by reference.</summary>
    public string Key => string.Join('\n', [SkipVerify ? "skip" : string.Empty, .. Authorities, .. Clients.Select(pair => $"{pair.Certificate}\0{pair.Key}")]);

    /// <exception cref="ImageStoreException">A file is missing or holds no certificate.</exception>
    public SslClientAuthenticationOptions ToOptions()
    {
        var options = new SslClientAuthenticationOptions();
        if (SkipVerify)
        {
#pragma warning disable CA5359 // The user asked for it, by name, for this host.
            options.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (Authorities.Count > 0)
        {
            options.CertificateChainPolicy = Trusting();
        }

        if (Clients.Count > 0)
        {
            options.ClientCertificates = [.. Clients.Select(Client).ToArray<X509Certificate>()];
        }

        return options;
    }

    private X509ChainPolicy Trusting()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        using (var system = new X509Store(StoreName.Root, StoreLocation.LocalMachine))
        {
            system.Open(OpenFlags.ReadOnly);
            policy.CustomTrustStore.AddRange(system.Certificates);
        }

        foreach (var path in Authorities)
        {
            var before = policy.CustomTrustStore.Count;
            Read(path, () => policy.CustomTrustStore.ImportFromPemFile(path));
            if (policy.CustomTrustStore.Count == before)
            {
                throw Unusable(path, null);
            }
        }

        return policy;
    }

    private static X509Certificate2 Client((string Certificate, string? Key) pair)
    {
        X509Certificate2? loaded = null;
        Read(pair.Certificate, () => loaded = X509Certificate2.CreateFromPemFile(pair.Certificate, pair.Key));
        return loaded!;
    }

    private static void Read(string path, Action load)
    {
        try
        {
            load();
        }
        catch (Exception failure) when (failure is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, failure);
        }
    }

    private static ImageStoreException Unusable(string path, Exception? cause) => new(
        ErrorKind.FailedPrecondition,
        $"{Printable.Of(path)} holds no usable certificate or key{(cause is null ? string.Empty : ": " + Printable.Of(cause.Message))}.",
        "It has to be PEM, readable, and a key without a password.",
        cause);
}
