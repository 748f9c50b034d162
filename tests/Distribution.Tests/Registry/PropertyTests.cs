using CsCheck;
using ImageStore.Distribution.Auth;
using ImageStore.Distribution.Registry;
using ImageStore.Distribution.Transfer;
using ImageStore.Store.Errors;
using ImageStore.Store.Oci;

namespace ImageStore.Distribution.Tests.Registry;

/// <summary>What is parsed comes back as it was, and whatever comes from outside ends in an answer or in one of our errors.</summary>
public sealed class PropertyTests
{
    private static readonly Gen<string> s_word = Gen.String[Gen.Char["abcxyz0189"], 1, 12];
    private static readonly Gen<string> s_tag = Gen.String[Gen.Char["abcXYZ019_.-"], 0, 20].Select(rest => "t" + rest);
    private static readonly Gen<string> s_host = Gen.OneOf(
        s_word.Select(word => word + ".example"), s_word.Select(word => word + ".example:5000"), Gen.Const("localhost"), Gen.Const("127.0.0.1:1"));

    private static readonly Gen<string> s_anything = Gen.String[Gen.OneOf(Gen.Char, Gen.Char["/:@.-_<>;,=\" \\%[]abc0"]), 0, 80];

    [Fact]
    public void Reference_OfItsParts_ComesBack() =>
        Gen.Select(s_host, s_word.Array[1, 4], s_tag, Gen.Bool).Sample((host, path, tag, byDigest) =>
        {
            var repository = string.Join('/', path);
            var digest = Digest.Compute(System.Text.Encoding.UTF8.GetBytes(tag));
            var reference = ImageReference.Parse(byDigest ? $"{host}/{repository}@{digest}" : $"{host}/{repository}:{tag}");
            return reference.Registry == host
                && reference.Repository == repository
                && ImageReference.Parse(reference.Canonical).Canonical == reference.Canonical
                && (byDigest ? reference.Digest == digest : reference.Tag == tag);
        });

    [Fact]
    public void Reference_Anything_ParsesTwiceAlikeOrIsRefused() => s_anything.Sample(text => Tolerates(() =>
        Assert.Equal(ImageReference.Parse(text).Canonical, ImageReference.Parse(ImageReference.Parse(text).Canonical).Canonical)));

    [Fact]
    public void Place_Anything_ComesBackOrIsRefused() => s_anything.Sample(text => Tolerates(() =>
        Assert.Equal(Place.Parse(text).ToString(), Place.Parse(Place.Parse(text).ToString()).ToString())));

    [Fact]
    public void Platform_OfItsParts_ComesBack() =>
        Gen.Select(Gen.OneOf(Gen.Const("linux"), Gen.Const("windows"), Gen.Const("darwin")), Gen.OneOf(Gen.Const("amd64"), Gen.Const("arm64"), Gen.Const("riscv64"), Gen.Const("s390x")))
            .Sample((os, architecture) => Platform.Parse($"{os}/{architecture}").ToString() == $"{os}/{architecture}");

    [Fact]
    public void Platform_Anything_ParsesOrIsRefused() => s_anything.Sample(text => Tolerates(() => Platform.Parse(text)));

    [Fact]
    public void Challenge_OfItsParts_ComesBack() =>
        Gen.Select(s_word, s_anything.Where(text => text.All(c => c is >= ' ' and <= '~'))).Sample((service, realm) =>
        {
            var quoted = realm.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
            var challenge = Assert.Single(Challenge.Parse($"Bearer realm=\"{quoted}\", service={service}"));
            return challenge.Is("bearer") && challenge.Parameters["realm"] == realm && challenge.Parameters["service"] == service;
        });

    [Fact]
    public void Challenge_Anything_EndsInSomeChallenges() => s_anything.Sample(text => Challenge.Parse(text) is not null);

    [Fact]
    public void Link_AmongOthers_IsFound() =>
        Gen.Select(s_word, s_word, Gen.Bool).Sample((path, other, quoted) =>
            LinkHeader.Next($"</{other}>; rel=\"prev\", </{path}?n=1&last={other}>; x=y; rel={(quoted ? "\"next\"" : "next")}")?.OriginalString
                == $"/{path}?n=1&last={other}");

    [Fact]
    public void Link_Anything_IsAnAddressOrNothing() => s_anything.Sample(text =>
    {
        _ = LinkHeader.Next(text);
        _ = LinkHeader.Next($"<{text}>; rel=next");
    });

    private static void Tolerates(Action parse)
    {
        try
        {
            parse();
        }
        catch (ImageStoreException refused) when (refused.Kind is ErrorKind.InvalidArgument or ErrorKind.Unsupported)
        {
            // Said in our words.
        }
    }
}
