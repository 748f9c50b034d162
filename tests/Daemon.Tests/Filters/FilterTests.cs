using CsCheck;
using ImageStore.Daemon.Filters;
using ImageStore.Store.Errors;

namespace ImageStore.Daemon.Tests.Filters;

public sealed class FilterTests
{
    private const string Alphabet = "ab.,=!~\"/|\\x0u1 \n\0{}()*[]^$";

    private static readonly Dictionary<string, string> s_labels = new()
    {
        ["plain"] = "yes", ["containerd.io/gc.root"] = "2020-01-01", ["with space"] = "a,b", ["line"] = "one\n",
    };

    [Theory]
    [InlineData("name")]
    [InlineData("name==docker.io/library/alpine:3")]
    [InlineData("name==\"docker.io/library/alpine:3\"")]
    [InlineData("name!=other")]
    [InlineData("absent!=other")]
    [InlineData("name~=alpine")]
    [InlineData("name~=/^docker\\\\.io\\/.*:3$/")]
    [InlineData("name~=/docker.io/")]
    [InlineData("name~=|^docker.io/library/.*|")]
    [InlineData("absent~=/^$/")]
    [InlineData("name~=/(?P<repo>alpine)/")]
    [InlineData("name,labels.plain==yes")]
    [InlineData("name, labels.plain == yes")]
    [InlineData("labels.\"containerd.io/gc.root\"")]
    [InlineData("labels.\"containerd.io/gc.root\"==2020-01-01")]
    [InlineData("labels.\"with space\"==\"a,b\"")]
    [InlineData("labels.\"pl\\x61in\"==\"\\171es\"")]
    [InlineData("labels.\"with\\u0020space\"==\"a\\u002cb\"")]
    [InlineData("labels.line~=/one$/", false)]
    [InlineData("name==alpine", false)]
    [InlineData("absent", false)]
    [InlineData("absent==x", false)]
    [InlineData("name==docker.io/library/alpine:3,absent", false)]
    [InlineData("labels.none!=x")]
    public void Matches_OneFilter_AsContainerdDoes(string filter, bool matches = true) =>
        Assert.Equal(matches, Filter.Parse([filter]).Matches(Fields));

    [Fact]
    public void Matches_SeveralFilters_WhenOneDoes()
    {
        Assert.True(Filter.Parse(["absent", "name~=alpine"]).Matches(Fields));
        Assert.False(Filter.Parse(["absent", "name==x"]).Matches(Fields));
    }

    [Fact]
    public void Matches_NoFilterOrAnEmptyOne_Always()
    {
        Assert.True(Filter.Parse([]).Matches(Fields));
        Assert.True(Filter.Parse(["absent", ""]).Matches(Fields));
    }

    [Theory]
    [InlineData("==x")]
    [InlineData("name==")]
    [InlineData("name=x")]
    [InlineData("name===x")]
    [InlineData("name==a b")]
    [InlineData("name,")]
    [InlineData("name , labels.plain==yes")]
    [InlineData("name.")]
    [InlineData(".name")]
    [InlineData("name==\"open")]
    [InlineData("name==\"bad\\q\"")]
    [InlineData("name==\"bad\\u12\"")]
    [InlineData("name==\"bad\\777\"")]
    [InlineData("name==/slash/")]
    [InlineData("na\0me")]
    [InlineData("name~=/(/")]
    [InlineData("name~=/(a)\\1/")]
    [InlineData("name~=/((a{900}){900}){900}/")]
    public void Parse_Malformed_IsRefused(string filter) => Fails(filter);

    [Fact]
    public void Parse_OverTheCaps_IsRefused()
    {
        Fails(new string('a', 20_000));
        Fails(string.Join('.', Enumerable.Repeat("a", 100)));
        Fails(string.Join(',', Enumerable.Repeat("a", 300)));
        Fails($"name~={new string('a', 2000)}");
        Assert.Equal(
            ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => Filter.Parse([.. Enumerable.Repeat("a", 5000)])).Kind);
    }

    [Fact]
    public void Parse_Anything_GivesAFilterOrAnError() =>
        Gen.OneOf(Gen.String, Gen.Int[0, Alphabet.Length - 1].Select(i => Alphabet[i]).Array[0, 40].Select(chars => new string(chars))).Sample(
            text =>
            {
                try
                {
                    Filter.Parse([text]).Matches(Fields);
                    return true;
                }
                catch (ImageStoreException refused)
                {
                    return refused.Kind == ErrorKind.InvalidArgument;
                }
            },
            iter: 5000);

    private static void Fails(string filter) =>
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ImageStoreException>(() => Filter.Parse([filter])).Kind);

    private static bool Fields(IReadOnlyList<string> path, out string value) => path[0] switch
    {
        "name" => Daemon.Filters.Fields.Text("docker.io/library/alpine:3", out value),
        "labels" => Daemon.Filters.Fields.Label(path, s_labels, out value),
        _ => Daemon.Filters.Fields.None(out value),
    };
}
